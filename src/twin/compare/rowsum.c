#include "twin/compare/rowsum.h"

#include "base/jenkins.h"
#include "base/mem.h"
#include "twin/hash.h"

struct rt_row_field {
    enum rt_hash_link link;
    bool nans;
    const unsigned char *bytes; /* of the row at hand; NULL: it is NULL */
    size_t size;
};

/* ------------------------------------------------------------------ one row */

static uint64_t big_endian(const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool is_nan(const struct rt_row_field *field)
{
    uint64_t bits = big_endian(field->bytes, field->size);

    return field->size == 8 ? (bits & INT64_MAX) > 0x7ff0000000000000
                            : (bits & INT32_MAX) > 0x7f800000;
}

/* hash_array_extended of bytea[] */
static uint64_t hash_array(const struct rt_row_sum *sum, bool links, uint64_t seed)
{
    static const unsigned char nan8[] = {0x7f, 0xf8, 0, 0, 0, 0, 0, 0};
    static const unsigned char nan4[] = {0x7f, 0xc0, 0, 0};
    uint64_t hash = 1;

    for (size_t i = 0; i < sum->field_count; i++) {
        const struct rt_row_field *field = &sum->fields[i];
        const unsigned char *bytes = field->bytes;

        if (field->link && !links)
            continue;
        if (bytes && field->nans && is_nan(field))
            bytes = field->size == 8 ? nan8 : nan4;
        hash = hash * 31 + (bytes ? rt_jenkins(bytes, field->size, seed) : 0);
    }
    return hash;
}

/* hashint8extended, with the value in the seed: its hash alone is of 32 bits. */
static uint64_t hash_int8(uint64_t value, uint64_t seed)
{
    uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);

    return rt_jenkins_uint32(low ^ (value >> 63 ? ~high : high), seed ^ value);
}

static uint64_t hash_link(const struct rt_row_field *field, uint64_t seed)
{
    uint64_t value;

    if (field->link == RT_HASH_UUID || field->link == RT_HASH_TEXT)
        return rt_jenkins(field->bytes, field->size, seed);
    value = big_endian(field->bytes, field->size);
    if (field->link == RT_HASH_INT8)
        return hash_int8(value, seed);
    if (field->size == 2)
        value = (uint64_t)(int16_t)value;
    return rt_jenkins_uint32((uint32_t)value, seed);
}

static uint64_t hash_row(const struct rt_row_sum *sum)
{
    bool array = false, links = false;
    uint64_t hash;

    for (size_t i = 0; i < sum->field_count; i++) {
        const struct rt_row_field *field = &sum->fields[i];

        if (field->link && field->bytes == NULL)
            return rt_jenkins_uint32(1, hash_array(sum, true, 1));
        array |= !field->link;
        links |= field->link;
    }
    hash = array ? hash_array(sum, false, 0) : 0;
    for (size_t i = 0; i < sum->field_count; i++) {
        if (sum->fields[i].link)
            hash = hash_link(&sum->fields[i], hash);
    }
    return links ? hash : rt_jenkins_uint32(0, hash);
}

/* ------------------------------------------------------------------ the format */

/* Of PostgreSQL's documentation: sql-copy, "Binary Format". */
static const char header[] = "PGCOPY\n\377\r\n\0" /* then no flags, and no more of it */
                             "\0\0\0\0\0\0\0";
enum { COUNT = 2, LENGTH = 4, END = 0xffff };
static const uint32_t null = UINT32_MAX;

static bool fits(const struct rt_row_field *field)
{
    switch (field->link) {
    case RT_HASH_INT4:
        return field->size == 1 || field->size == 2 || field->size == 4;
    case RT_HASH_INT8:
        return field->size == 8;
    default:
        return !field->nans || field->size == 4 || field->size == 8;
    }
}

/* The bytes that a row has taken, behind the number of its fields; 0: it is not one. */
static size_t read_fields(struct rt_row_sum *sum, const unsigned char *at, size_t size)
{
    const unsigned char *start = at, *end = at + size;

    for (size_t i = 0; i < sum->field_count; i++) {
        struct rt_row_field *field = &sum->fields[i];
        size_t length;

        if (end - at < LENGTH)
            return 0;
        length = big_endian(at, LENGTH);
        at += LENGTH;
        field->bytes = NULL;
        if (length == null)
            continue;
        if ((size_t)(end - at) < length)
            return 0;
        field->bytes = at;
        field->size = length;
        if (!fits(field))
            return 0;
        at += length;
    }
    return (size_t)(at - start);
}

static bool read_row(struct rt_row_sum *sum, const unsigned char **at, size_t size)
{
    uint64_t count;
    size_t taken;

    if (size < COUNT || sum->ended)
        return false;
    count = big_endian(*at, COUNT);
    *at += COUNT;
    if (count == END) {
        sum->ended = true;
        return true;
    }
    taken = read_fields(sum, *at, size - COUNT);
    *at += taken;
    if (count != sum->field_count || (taken == 0 && count > 0))
        return false;
    sum->rows++;
    sum->sum += (int64_t)hash_row(sum);
    return true;
}

void rt_row_sum_add(struct rt_row_sum *sum, const char *rows, size_t size)
{
    const unsigned char *at = (const unsigned char *)rows, *end = at + size;

    if (sum->able && !sum->begun) {
        sum->able = size >= sizeof(header) && memcmp(at, header, sizeof(header)) == 0;
        sum->begun = true;
        at += sum->able ? sizeof(header) : 0;
    }
    while (sum->able && at < end)
        sum->able = read_row(sum, &at, (size_t)(end - at));
}

/* ------------------------------------------------------------------ the whole */

void rt_row_sum_open(struct rt_row_sum *sum, const struct rt_table *table,
                     enum rt_hash_way way)
{
    *sum = (struct rt_row_sum){.able = way == RT_HASH_OURS};
    sum->fields = rt_alloc((table->column_count + 1) * sizeof(*sum->fields));
    for (size_t i = 0; i < table->column_count; i++) {
        const struct rt_column *column = &table->columns[i];

        if (column->generated)
            continue;
        sum->able &= column->send != NULL;
        sum->fields[sum->field_count++] = (struct rt_row_field){
            .link = rt_hash_link(table, i), .nans = rt_hash_has_nans(column)};
    }
}

void rt_row_sum_close(struct rt_row_sum *sum)
{
    free(sum->fields);
    *sum = (struct rt_row_sum){0};
}

/* A decimal number, into the end of the buffer. */
static const char *write_number(char *end, rt_row_sum_int value)
{
    bool negative = value < 0;

    *--end = '\0';
    do {
        int digit = (int)(value % 10);

        *--end = (char)('0' + (negative ? -digit : digit));
        value /= 10;
    } while (value != 0);
    if (negative)
        *--end = '-';
    return end;
}

bool rt_row_sum_is(const struct rt_row_sum *sum, const char *rows, const char *hashes)
{
    char number[48];

    return sum->able && sum->ended && sum->rows == strtoull(rows, NULL, 10) &&
           (sum->rows == 0 ||
            (hashes &&
             strcmp(hashes, write_number(number + sizeof(number), sum->sum)) == 0));
}
