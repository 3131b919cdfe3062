#include "twin/delta/order.h"

#include <limits.h>

#include "base/mem.h"

#define UNRANKED UINT_MAX

/* How many uncut edges of each table lead to one without a rank. */
static void count_waits(size_t *waits, const unsigned *rank, size_t count,
                        const struct rt_edge *edges, size_t edge_count)
{
    memset(waits, 0, count * sizeof(*waits));
    for (size_t i = 0; i < edge_count; i++)
        waits[edges[i].child] += !edges[i].cut && rank[edges[i].parent] == UNRANKED;
}

/* Rank whoever waits for nobody. Returns how many. */
static size_t rank_ready(unsigned *rank, unsigned level, const size_t *waits,
                         size_t count)
{
    size_t ready = 0;

    for (size_t i = 0; i < count; i++) {
        if (rank[i] == UNRANKED && waits[i] == 0) {
            rank[i] = level;
            ready++;
        }
    }
    return ready;
}

/* Everybody waits for somebody: there is a cycle. Going from child to parent as many
 * times as there are tables ends inside of one; that table's edges give way. */
static void cut_cycle(struct rt_edge *edges, size_t edge_count, const unsigned *rank,
                      size_t count, size_t from)
{
    for (size_t steps = 0; steps < count; steps++) {
        for (size_t i = 0; i < edge_count; i++) {
            if (!edges[i].cut && edges[i].child == from &&
                rank[edges[i].parent] == UNRANKED) {
                from = edges[i].parent;
                break;
            }
        }
    }
    for (size_t i = 0; i < edge_count; i++) {
        if (edges[i].child == from && rank[edges[i].parent] == UNRANKED)
            edges[i].cut = true;
    }
}

void rt_order(unsigned *rank, size_t count, struct rt_edge *edges, size_t edge_count)
{
    size_t *waits = rt_alloc((count + 1) * sizeof(*waits));
    size_t ranked = 0, any;
    unsigned level = 0;

    for (size_t i = 0; i < count; i++)
        rank[i] = UNRANKED;
    for (size_t i = 0; i < edge_count; i++)
        edges[i].cut = false;
    while (ranked < count) {
        size_t ready;

        count_waits(waits, rank, count, edges, edge_count);
        ready = rank_ready(rank, level, waits, count);
        ranked += ready;
        level += ready > 0;
        if (ready == 0) {
            for (any = 0; rank[any] != UNRANKED;)
                any++;
            cut_cycle(edges, edge_count, rank, count, any);
        }
    }
    free(waits);
}
