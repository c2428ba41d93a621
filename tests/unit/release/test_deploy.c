/* Deployments: what is published, moved and made, and what is left when something fails. */
#include "story.h"

int main(int argc, char **argv)
{
    return argc < 2 ? 1 : story_run(argv[1], "deploy");
}
