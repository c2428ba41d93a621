"""Roles and callers: what they may, and from when on."""
