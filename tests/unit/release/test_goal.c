/* Goals: what a rollback, a reset, a clone, a shift or one function comes to. */
#include "story.h"

int main(int argc, char **argv)
{
    return argc < 2 ? 1 : story_run(argv[1], "goal");
}
