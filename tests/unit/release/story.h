/* Stories: what somebody does with a service, command by command, and what came of it.
 *
 * tests/golden/stories/<name>/ has versions of a service (*.yml) and `story.txt`. A line that
 * begins with "> " is a command (the table in story.c), one with "# " a comment; what follows is
 * what the engine and the fake cloud said, which BLESS=1 rewrites and people review. Deployments of
 * APIs are d1, d2, … in the order in which the story meets them. */
#ifndef TROUPE_TEST_STORY_H
#define TROUPE_TEST_STORY_H

/* All stories whose name begins with `prefix`, below the folder of tests, as a group of tests. */
int story_run(const char *tests, const char *prefix);

#endif
