# The entry points; meson and ninja do the work. `make help` lists them.
BUILD ?= build
PREFIX ?= /usr/local

.PHONY: all
all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --buildtype=release >/dev/null
