/* What events of several kinds say alike: their number, the input of a rule's target. */
#include "compile/compile_internal.h"

size_t event_number(const struct event *event)
{
    const struct node *list = node_get_c(event->function->node, "events");
    struct str key = {"", 0};
    size_t number = 0;
    member_each (m, list->items[event->index])
        if (m->value == event->node)
            key = m->key;
    for (size_t i = 0; i <= event->index; i++)
        number += node_truthy(node_get(list->items[i], key));
    return number;
}

int event_check_input(const struct event *event, struct err *err)
{
    static const char *const ways[] = {"input", "inputPath", "inputTransformer"};
    const struct node *seen = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const struct node *n = node_get_c(event->node, ways[i]);
        if (!node_truthy(n))
            continue;
        if (seen) {
            err_at(err, n->pos, ERR_CONFIG,
                   "'input', 'inputPath' and 'inputTransformer' exclude each other");
            return err_note(err, seen->pos, "the other one is here");
        }
        seen = n;
    }
    return 0;
}
