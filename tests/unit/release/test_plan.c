/* Plans: what would change, what is refused before anything is made. */
#include "story.h"

int main(int argc, char **argv)
{
    return argc < 2 ? 1 : story_run(argv[1], "plan");
}
