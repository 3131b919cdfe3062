/*
 * Prisma's side of production, so that revtwin and Prisma can be used on one database:
 * the table _prisma_migrations in the first schema of the search path, and the advisory
 * lock that Prisma takes.
 *
 * What Prisma has finished counts as applied. What revtwin applies or records has its row
 * there in the same transaction, and what the ledger had before gets one first: a table
 * that has only a part makes "prisma migrate deploy" run the rest again, and none makes
 * it refuse, so the whole is written, also where only revtwin was used until then.
 *
 * Sources: schema-engine apply_migrations.rs, diagnose_migration_history.rs, checksum.rs,
 * sql_migration_persistence.rs, flavour/postgres.rs.
 */
#ifndef RT_MIGRATE_PRISMA_H
#define RT_MIGRATE_PRISMA_H

#include "migrate/foreign.h"
#include "migrate/lock.h"
#include "migrate/plan.h"

extern const struct rt_lock rt_prisma_lock; /* of prisma_session.sql */

/* A migration that the ledger has and Prisma's table has not. */
struct rt_prisma_lack {
    const char *name, *checksum;
};

struct rt_prisma {
    const char *table;        /* with its schema, as SQL */
    const char *lock_timeout; /* for writing to it; as in rt_apply_options */
    bool exists;
    struct rt_foreign history;
    const struct rt_foreign_row **rows; /* of each file of the set; NULL: it has none */
    struct rt_elsewhere elsewhere;      /* for deciding, where the table exists */
    struct rt_prisma_lack *lacks;
    size_t lack_count;
};

/*
 * Read the table; with wait >= 0 first take Prisma's lock, trying for that many seconds:
 * -RT_ELOCKED names the holder. pooled is rt_ledger's. -RT_EREFUSED when the search path
 * has no schema for the table, or the table is in another schema than that one, where
 * migrations would run in the wrong place.
 */
int rt_prisma_read(struct rt_prisma *out, struct rt_arena *arena, struct rt_conn *conn,
                   bool pooled, int wait, struct rt_err *err) RT_CHECKED;

/*
 * Pair its rows with the files of the set by the name of the folder: fill rows and
 * elsewhere. Findings: a refusal for a migration that is not finished, and for a file
 * that was changed since Prisma applied it; a warning for what is not in the tree.
 */
int rt_prisma_match(struct rt_prisma *prisma, struct rt_plan *plan,
                    struct rt_arena *arena, struct rt_conn *conn, struct rt_repo *repo,
                    const struct rt_set *set, const struct rt_ledger *ledger,
                    const char *folder, struct rt_err *err) RT_CHECKED;

/* Put the migrations of one step into Prisma's order: by name as bytes. */
void rt_prisma_sort(struct rt_plan *plan, struct rt_arena *arena);

/* Find what the ledger has and the table has not (a note). It reads each such file. */
int rt_prisma_find_lacks(struct rt_prisma *prisma, struct rt_plan *plan,
                         struct rt_arena *arena, struct rt_repo *repo,
                         const struct rt_set *set, struct rt_err *err) RT_CHECKED;

/*
 * Have every action of a plan write its row. A file without a transaction has one while
 * it is under way, too, which is told from Prisma's own by its logs: "revtwin: ...".
 */
int rt_prisma_attach(const struct rt_prisma *prisma, struct rt_plan *plan,
                     struct rt_arena *arena, struct rt_repo *repo,
                     const struct rt_set *set, struct rt_err *err) RT_CHECKED;

/*
 * Write the rows that are lacking, in one transaction, with the table if there is none.
 * Before rt_apply: whatever becomes of that, the table then has what production has.
 */
int rt_prisma_fill(const struct rt_prisma *prisma, struct rt_conn *conn,
                   struct rt_err *err) RT_CHECKED;

/* What Prisma keeps of a file, in the arena. */
int rt_prisma_checksum_of(const char **out, struct rt_arena *arena, struct rt_repo *repo,
                          const struct rt_migration *m, struct rt_err *err) RT_CHECKED;

#endif
