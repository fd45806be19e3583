/* Reads a JSON array of objects into the columns of Arrow, in one pass.
 *
 * It takes only what is plainly right. At the first row that is not (a wrong type, a number out of
 * range, a field that is missing or comes twice, an escape in a name, anything that is no JSON) it
 * stops; the reader in Python goes on from there, and says what is wrong if anything is.
 *
 * It knows nothing of Python and is loaded by ctypes. A reader belongs to one thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(_WIN32)
#define PUBLIC __declspec(dllexport)
#else
#define PUBLIC __attribute__((visibility("default")))
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "eight digits are read at once, as little-endian processors hold them"
#endif

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* What each step comes to. */
enum { TAKEN, INCOMPLETE, REFUSED, NO_MEMORY };
typedef int Outcome;

/* Where in the array the next byte stands. */
enum { BEFORE_ARRAY, BEFORE_FIRST, BEFORE_ROW, AFTER_ROW, AFTER_ARRAY };

/* As trayport_sdk/tables/decode/native/reader.py numbers them. */
enum { INTEGER, FLOAT, BOOLEAN, STRING, STRUCT, LIST, TIMESTAMP };
enum { REQUIRED = 1, NULLABLE = 2, WANTED = 4 };

enum {
    PADDING = 64,        /* zero bytes after the text: what looks ahead finds no JSON there */
    MOST_FIELDS = 64,    /* of one object: each is a bit of a mask */
    MOST_NESTED = 64,    /* containers around a value that no column takes */
    INLINE = 12,         /* bytes of a string that a view holds itself */
    VIEW = 16,           /* bytes of a view */
    EXACT_DIGITS = 19,   /* decimal digits that always fit in 64 bits */
    EXACT_POWER = 22,    /* the highest power of ten that a double holds exactly */
    LOWEST_POWER = -342, /* of ten: below, whatever 64 bits hold rounds to zero */
    HIGHEST_POWER = 308, /* of ten: above, it rounds to infinity */
};
#define EXACT_INTEGER (UINT64_C(1) << 53)
#define MOST_TEXT INT32_MAX               /* bytes of the long strings of one column */

#ifndef FIRST_ROWS
#define FIRST_ROWS 1024
#endif
#ifndef FIRST_BYTES
#define FIRST_BYTES (1 << 15)
#endif

/* The Arrow C data interface, as its specification lays it out. */

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

/* A column as the caller describes it; the fields of an object follow it. */
typedef struct {
    const char *key;    /* the name in the text */
    const char *name;   /* the name in the table */
    const char *values; /* those that a string may have, each ended by a zero byte, and another */
    int64_t minimum;
    int32_t kind, flags, fields;
} Description;

typedef struct Column {
    int kind, flags, fields;
    int64_t minimum;
    char *key; /* with its quotation marks and the colon */
    int64_t key_size;
    char *name, *values;
    struct Column **field;
    uint64_t required;

    int64_t rows, room; /* how many there are, and for how many there is room */
    uint8_t *data;      /* numbers, bits, views or, one more than rows, where lists begin */
    uint8_t *valid;     /* bits; there are none while nothing is null */
    uint8_t *text;      /* of strings that are too long for their views */
    int64_t text_size, text_room;
    int64_t usual_rows, usual_text; /* what the table before had, and a little more */
    int64_t text_row, text_mark; /* the row of the table that wrote last, and the size before it */
} Column;

typedef struct {
    Column *root;
    const uint64_t *powers; /* of five, 128 bits each, the higher half first */
    int64_t depth;          /* how deeply values may be nested that no column takes */
    int64_t most_waiting;   /* bytes that may wait for the end of their row */
    int64_t rows;
    uint8_t *buffer; /* the last row that was taken, and what follows it */
    int64_t size, room;
    int64_t next;         /* where what was not read yet begins in the buffer */
    const uint8_t *end;   /* of the text, while it is read */
    int state;
} Reader;

/* Memory */

static bool reserve(uint8_t **memory, int64_t size) {
    uint8_t *larger = realloc(*memory, (size_t)size);
    if (!larger)
        return false;
    *memory = larger;
    return true;
}

static int64_t larger_of(int64_t one, int64_t other) { return one > other ? one : other; }

static int64_t bytes_of(const Column *column, int64_t rows) {
    switch (column->kind) {
    case STRUCT:
        return 0;
    case BOOLEAN:
        return rows / 8 + 1;
    case STRING:
        return rows * VIEW;
    case LIST:
        return (rows + 1) * 8;
    default:
        return rows * 8;
    }
}

static void set_bit(uint8_t *bits, int64_t place, bool on) {
    const uint8_t bit = (uint8_t)(1u << (place & 7));
    bits[place >> 3] = (uint8_t)(on ? bits[place >> 3] | bit : bits[place >> 3] & ~bit);
}

static bool make_room(Column *column, int64_t rows) {
    int64_t room = column->room ? column->room : larger_of(column->usual_rows, FIRST_ROWS);
    while (room < rows)
        room *= 2;
    if (column->kind != STRUCT && !reserve(&column->data, bytes_of(column, room)))
        return false;
    if (column->kind == LIST && !column->rows)
        memset(column->data, 0, 8);
    if (column->valid && !reserve(&column->valid, room / 8 + 1))
        return false;
    column->room = room;
    return true;
}

static int64_t *starts(const Column *list) { return (int64_t *)list->data; }

/* Adds nulls until there are so many rows. */
static bool add_nulls(Column *column, int64_t rows) {
    if (column->rows >= rows)
        return true;
    if (rows > column->room && !make_room(column, rows))
        return false;
    if (!column->valid) {
        if (!reserve(&column->valid, column->room / 8 + 1))
            return false;
        memset(column->valid, 0xff, (size_t)(column->room / 8 + 1));
    }
    for (int64_t row = column->rows; row < rows; row++) {
        set_bit(column->valid, row, false);
        if (column->kind == BOOLEAN)
            set_bit(column->data, row, false);
        else if (column->kind == LIST)
            starts(column)[row + 1] = starts(column)[row];
        else if (column->kind != STRUCT)
            memset(column->data + bytes_of(column, row), 0, (size_t)bytes_of(column, 1));
    }
    column->rows = rows;
    return true;
}

/* Makes place for a value; the rows before it that have none are null. */
static inline bool add_row(Column *column, int64_t row) {
    if (UNLIKELY(column->rows < row) && !add_nulls(column, row))
        return false;
    if (UNLIKELY(row >= column->room) && !make_room(column, row + 1))
        return false;
    if (UNLIKELY(column->valid != NULL))
        set_bit(column->valid, row, true);
    column->rows = row + 1;
    return true;
}

static void clear(Column *column) {
    column->rows = column->text_size = 0;
    column->text_row = -1;
    for (int i = 0; i < column->fields; i++)
        clear(column->field[i]);
}

/* Forgets what the row that was begun last has left. */
static void cut_back(Column *column, int64_t rows, int64_t table_rows) {
    if (column->rows > rows)
        column->rows = rows;
    if (column->text_row == table_rows)
        column->text_size = column->text_mark;
    if (column->kind == LIST)
        rows = column->rows ? starts(column)[column->rows] : 0;
    for (int i = 0; i < column->fields; i++)
        cut_back(column->field[i], rows, table_rows);
}

/* The text: bytes that are looked at but not there are zeros, which no JSON has outside of nothing. */

static Outcome missing(const Reader *reader, const uint8_t *at) {
    return at >= reader->end ? INCOMPLETE : REFUSED;
}

static bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

static inline const uint8_t *after_space(const uint8_t *at) {
    while (UNLIKELY(*at <= ' ') && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* Strings */

typedef struct {
    const uint8_t *text;
    int64_t size;
    bool has_escapes;
} String;

/* The first quotation mark, backslash or control character. */
static inline const uint8_t *string_stop(const uint8_t *at, bool *is_ascii) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    for (;; at += 16) {
        const __m128i bytes = _mm_loadu_si128((const __m128i *)at);
        const __m128i marks =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
        const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, control), bytes);
        const unsigned stops = (unsigned)_mm_movemask_epi8(_mm_or_si128(marks, controls));
        const unsigned high = (unsigned)_mm_movemask_epi8(bytes);
        if (LIKELY(stops)) {
            const unsigned before = (stops & -stops) - 1;
            *is_ascii &= !(high & before);
            return at + __builtin_ctz(stops);
        }
        *is_ascii &= !high;
    }
#else
    uint8_t high = 0;
    for (; *at != '"' && *at != '\\' && *at >= 0x20; at++)
        high |= *at;
    *is_ascii &= high < 0x80;
    return at;
#endif
}

static bool is_utf8(const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        const uint8_t lead = at[0];
        if (lead < 0x80) {
            at++;
            continue;
        }
        if (lead < 0xc2 || lead > 0xf4)
            return false;
        const int size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (end - at < size)
            return false;
        for (int i = 1; i < size; i++)
            if ((at[i] & 0xc0) != 0x80)
                return false;
        /* Too long for what they say, half of a pair, or above the last character. */
        if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) ||
            (lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f))
            return false;
        at += size;
    }
    return true;
}

static bool four_digits(const uint8_t *at, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        const uint8_t letter = at[i] | 0x20;
        const uint32_t digit = is_digit(at[i])                    ? (uint32_t)(at[i] - '0')
                               : letter >= 'a' && letter <= 'f' ? (uint32_t)(letter - 'a' + 10)
                                                                : 16;
        if (digit == 16)
            return false;
        *unit = *unit << 4 | digit;
    }
    return true;
}

enum { ESCAPE = 6 }; /* bytes of \uXXXX */

/* The character of one or two of them, and how many bytes they have; 0 when they are none. */
static int unicode_escape(const uint8_t *at, uint32_t *character) {
    uint32_t low;
    if (!four_digits(at + 2, character))
        return 0;
    if (*character < 0xd800 || *character > 0xdfff)
        return ESCAPE;
    if (*character > 0xdbff || at[6] != '\\' || at[7] != 'u' || !four_digits(at + 8, &low) ||
        low < 0xdc00 || low > 0xdfff)
        return 0;
    *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    return 2 * ESCAPE;
}

/* A string, whose opening quotation mark was read. */
static Outcome read_string(Reader *reader, const uint8_t **text, String *string) {
    const uint8_t *at = *text;
    bool is_ascii = true;
    string->text = at;
    string->has_escapes = false;
    while (at = string_stop(at, &is_ascii), UNLIKELY(*at != '"')) {
        uint32_t character;
        int size = 2;
        if (*at != '\\')
            return missing(reader, at);
        if (at[1] == 'u')
            size = unicode_escape(at, &character);
        else if (!at[1] || !strchr("\"\\/bfnrt", at[1]))
            size = 0;
        if (!size)
            return reader->end - at < 2 * ESCAPE ? INCOMPLETE : REFUSED;
        string->has_escapes = true;
        at += size;
    }
    string->size = at - string->text;
    if (UNLIKELY(!is_ascii) && !is_utf8(string->text, at))
        return REFUSED;
    *text = at + 1;
    return TAKEN;
}

static uint8_t *write_utf8(uint32_t character, uint8_t *to) {
    if (character < 0x80) {
        *to++ = (uint8_t)character;
        return to;
    }
    const int following = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (uint8_t)(leads[following] | character >> 6 * following);
    for (int i = following - 1; i >= 0; i--)
        *to++ = (uint8_t)(0x80 | (character >> 6 * i & 0x3f));
    return to;
}

/* The text without escapes, which is never longer; how many bytes it has. */
static int64_t unescaped(const String *string, uint8_t *to) {
    const uint8_t *at = string->text, *end = at + string->size, *begin = to;
    while (at < end) {
        uint32_t character;
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        if (at[1] == 'u') {
            at += unicode_escape(at, &character);
            to = write_utf8(character, to);
            continue;
        }
        switch (at[1]) {
        case 'b': *to++ = '\b'; break;
        case 'f': *to++ = '\f'; break;
        case 'n': *to++ = '\n'; break;
        case 'r': *to++ = '\r'; break;
        case 't': *to++ = '\t'; break;
        default: *to++ = at[1];
        }
        at += 2;
    }
    return to - begin;
}

static bool is_one_of(const char *values, const uint8_t *text, int64_t size) {
    for (; *values; values += strlen(values) + 1)
        if ((int64_t)strlen(values) == size && !memcmp(values, text, (size_t)size))
            return true;
    return false;
}

static Outcome store_string(Reader *reader, Column *column, int64_t row, const String *string) {
    const uint8_t *text = string->text;
    int64_t size = string->size;
    uint8_t short_text[INLINE];
    if (size > MOST_TEXT - column->text_size)
        return REFUSED;
    if (UNLIKELY(string->has_escapes) || size > INLINE) {
        if (column->text_size + size > column->text_room) {
            int64_t room =
                column->text_room ? column->text_room : larger_of(column->usual_text, FIRST_BYTES);
            while (room < column->text_size + size)
                room *= 2;
            if (!reserve(&column->text, room))
                return NO_MEMORY;
            column->text_room = room;
        }
        uint8_t *to = column->text + column->text_size;
        if (UNLIKELY(string->has_escapes))
            size = unescaped(string, to);
        else
            memcpy(to, text, (size_t)size);
        text = to;
        if (size <= INLINE) {
            memcpy(short_text, to, (size_t)size);
            text = short_text;
        }
    }
    if (column->values && !is_one_of(column->values, text, size))
        return REFUSED;
    if (!add_row(column, row))
        return NO_MEMORY;
    uint8_t *view = column->data + row * VIEW;
    const uint32_t view_size = (uint32_t)size;
    memset(view, 0, VIEW);
    memcpy(view, &view_size, 4);
    if (size <= INLINE) {
        memcpy(view + 4, text, (size_t)size);
        return TAKEN;
    }
    const uint32_t place = (uint32_t)column->text_size;
    memcpy(view + 4, text, 4);
    memcpy(view + 12, &place, 4); /* before it: the number of the buffer, 0 */
    if (column->text_row != reader->rows) {
        column->text_row = reader->rows;
        column->text_mark = column->text_size;
    }
    column->text_size += size;
    return TAKEN;
}

/* Numbers */

typedef struct {
    uint64_t digits; /* the first 19 significant ones */
    int64_t power;   /* of ten, that they are multiplied with */
    bool is_negative, is_whole;
    bool is_cut; /* there were more digits */
} Number;

static bool are_digits(uint64_t bytes) {
    const uint64_t high = bytes & UINT64_C(0xf0f0f0f0f0f0f0f0);
    const uint64_t carried = (bytes + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0);
    return (high | carried >> 4) == UINT64_C(0x3333333333333333);
}

/* The number that eight digits make: pairs, then fours, then all. */
static uint64_t eight_digits(uint64_t bytes) {
    bytes = (bytes & UINT64_C(0x0f0f0f0f0f0f0f0f)) * (10 * 256 + 1) >> 8;
    bytes = (bytes & UINT64_C(0x00ff00ff00ff00ff)) * (100 * 65536 + 1) >> 16;
    return (bytes & UINT64_C(0x0000ffff0000ffff)) * (UINT64_C(10000) * 4294967296 + 1) >> 32;
}

/* Reads digits; `*room` says how many more are significant. */
static inline const uint8_t *read_digits(const uint8_t *at, Number *number, int *room) {
    uint64_t bytes;
    for (; !number->digits && *at == '0'; at++)
        ;
    for (; *room >= 8 && (memcpy(&bytes, at, 8), are_digits(bytes)); at += 8, *room -= 8)
        number->digits = number->digits * 100000000 + eight_digits(bytes);
    for (; *room > 0 && is_digit(*at); at++, --*room)
        number->digits = number->digits * 10 + (uint64_t)(*at - '0');
    return at;
}

static inline Outcome read_number(Reader *reader, const uint8_t **text, Number *number) {
    const uint8_t *at = *text, *start;
    int room = EXACT_DIGITS;
    *number = (Number){.is_whole = true, .is_negative = *at == '-'};
    at += number->is_negative;
    if (!is_digit(*at))
        return missing(reader, at);
    if (*at == '0') {
        at++; /* no digit may follow it */
    } else {
        at = read_digits(at, number, &room);
        for (; is_digit(*at); at++, number->power++)
            number->is_cut = true;
    }
    if (*at == '.') {
        number->is_whole = false;
        start = ++at;
        at = read_digits(at, number, &room);
        number->power -= at - start;
        for (; is_digit(*at); at++)
            number->is_cut = true;
        if (at == start)
            return missing(reader, at);
    }
    if ((*at | 0x20) == 'e') {
        int64_t power = 0;
        number->is_whole = false;
        at++;
        const bool is_negative = *at == '-';
        at += is_negative || *at == '+';
        if (!is_digit(*at))
            return missing(reader, at);
        for (; is_digit(*at); at++)
            if (power < 1000000)
                power = power * 10 + (*at - '0');
        number->power += is_negative ? -power : power;
    }
    if (is_digit(*at))
        return REFUSED; /* a zero too many at the beginning */
    if (at >= reader->end)
        return INCOMPLETE; /* more digits may come */
    *text = at;
    return TAKEN;
}

static double from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The double nearest to digits times ten to a power, ties to even (Eisel and Lemire, "Number parsing
 * at a gigabyte per second", 2021; that no case is left undecided: Mushtak and Lemire, 2023). */
static uint64_t nearest(const uint64_t *powers, uint64_t digits, int64_t power) {
    enum { BITS = 52, HIGHEST = 0x7ff };
    if (!digits || power < LOWEST_POWER)
        return 0;
    if (power > HIGHEST_POWER)
        return (uint64_t)HIGHEST << BITS;
    const uint64_t *five = powers + 2 * (power - LOWEST_POWER);
    const int zeros = __builtin_clzll(digits);
    digits <<= zeros;
    unsigned __int128 product = (unsigned __int128)digits * five[0];
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if ((high & (UINT64_MAX >> (BITS + 3))) == UINT64_MAX >> (BITS + 3)) {
        const uint64_t more = (uint64_t)((unsigned __int128)digits * five[1] >> 64);
        low += more;
        high += low < more;
    }
    const int upper = (int)(high >> 63), shift = upper + 64 - BITS - 3;
    uint64_t bits = high >> shift;
    /* The binary logarithm of ten to the power, by a fraction that is right for all of these. */
    int64_t exponent = ((152170 + 65536) * power >> 16) + 63 + upper - zeros + 1023;
    if (exponent <= 0) { /* subnormal */
        if (exponent <= -63)
            return 0;
        bits >>= 1 - exponent;
        bits = (bits + (bits & 1)) >> 1;
        return bits; /* which is 2**52, the smallest normal one, when it was rounded up to it */
    }
    /* Halfway between two, exactly: only for these powers can it be. */
    if (low <= 1 && power >= -4 && power <= 23 && (bits & 3) == 1 && bits << shift == high)
        bits &= ~UINT64_C(1);
    bits = (bits + (bits & 1)) >> 1;
    if (bits >= UINT64_C(2) << BITS) {
        bits >>= 1;
        exponent++;
    }
    if (exponent >= HIGHEST)
        return (uint64_t)HIGHEST << BITS;
    return (uint64_t)exponent << BITS | (bits & ((UINT64_C(1) << BITS) - 1));
}

/* False for what is no finite number, or needs more digits than are kept. */
static inline bool to_double(const Reader *reader, const Number *number, double *value) {
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int64_t power = number->power;
    if (LIKELY(!number->is_cut && number->digits <= EXACT_INTEGER && power >= -EXACT_POWER &&
               power <= EXACT_POWER)) {
        /* Both are exact, so one operation rounds once. */
        *value = (double)number->digits;
        *value = power < 0 ? *value / tens[-power] : *value * tens[power];
    } else {
        const uint64_t bits = nearest(reader->powers, number->digits, power);
        if (number->is_cut && nearest(reader->powers, number->digits + 1, power) != bits)
            return false;
        *value = from_bits(bits);
        if (bits >> 52 == 0x7ff)
            return false;
    }
    if (number->is_negative)
        *value = -*value;
    return true;
}

/* Values */

static bool starts_with(const Reader *reader, const uint8_t *at, const char *word, int64_t size) {
    return reader->end - at >= size && !memcmp(at, word, (size_t)size);
}

/* One of the words true, false and null. */
static Outcome read_word(const Reader *reader, const uint8_t **text, const char *word) {
    const int64_t size = (int64_t)strlen(word), left = reader->end - *text;
    if (!starts_with(reader, *text, word, left < size ? left : size))
        return REFUSED;
    if (left < size)
        return INCOMPLETE;
    *text += size;
    return TAKEN;
}

/* What follows an element: TAKEN after a comma, and `*is_over` after the closing bracket. */
static inline Outcome read_separator(
    const Reader *reader, const uint8_t **text, uint8_t closing, bool *is_over) {
    const uint8_t *at = after_space(*text);
    *is_over = *at == closing;
    if (!*is_over && *at != ',')
        return missing(reader, at);
    *text = *is_over ? at + 1 : after_space(at + 1);
    return TAKEN;
}

/* Whether an object or array that was opened is empty; then its closing bracket is read. */
static inline bool is_empty(const uint8_t **text, uint8_t closing) {
    *text = after_space(*text);
    const bool is = **text == closing;
    *text += is;
    return is;
}

/* A value that no column takes. */
static Outcome skip_value(Reader *reader, const uint8_t **text, int64_t depth) {
    Outcome outcome;
    String string;
    Number number;
    const uint8_t opening = **text;
    switch (opening) {
    case '"':
        ++*text;
        return read_string(reader, text, &string);
    case 't':
        return read_word(reader, text, "true");
    case 'f':
        return read_word(reader, text, "false");
    case 'n':
        return read_word(reader, text, "null");
    case '{':
    case '[':
        break;
    default:
        return read_number(reader, text, &number);
    }
    const uint8_t closing = opening == '{' ? '}' : ']';
    if (depth >= reader->depth || depth >= MOST_NESTED)
        return REFUSED;
    ++*text;
    bool is_over = is_empty(text, closing);
    while (!is_over) {
        if (opening == '{') {
            if (**text != '"')
                return missing(reader, *text);
            ++*text;
            if ((outcome = read_string(reader, text, &string)) != TAKEN)
                return outcome;
            *text = after_space(*text);
            if (**text != ':')
                return missing(reader, *text);
            *text = after_space(*text + 1);
        }
        if ((outcome = skip_value(reader, text, depth + 1)) != TAKEN)
            return outcome;
        if ((outcome = read_separator(reader, text, closing, &is_over)) != TAKEN)
            return outcome;
    }
    return TAKEN;
}

static Outcome read_object(
    Reader *reader, Column *column, int64_t row, const uint8_t **text, int64_t depth);

static Outcome read_list(
    Reader *reader, Column *column, int64_t row, const uint8_t **text, int64_t depth) {
    Column *item = column->field[0];
    Outcome outcome;
    if (**text != '[')
        return missing(reader, *text);
    ++*text;
    if (!add_row(column, row))
        return NO_MEMORY;
    int64_t items = starts(column)[row];
    starts(column)[row + 1] = items;
    bool is_over = is_empty(text, ']');
    while (!is_over) {
        if (**text != '{')
            return missing(reader, *text);
        ++*text;
        if (!add_row(item, items))
            return NO_MEMORY;
        if ((outcome = read_object(reader, item, items, text, depth + 2)) != TAKEN)
            return outcome;
        items++;
        if ((outcome = read_separator(reader, text, ']', &is_over)) != TAKEN)
            return outcome;
    }
    starts(column)[row + 1] = items;
    return TAKEN;
}

static inline Outcome read_value(
    Reader *reader, Column *column, int64_t row, const uint8_t **text, int64_t depth) {
    Outcome outcome;
    Number number;
    String string;
    const uint8_t first = **text;
    if (UNLIKELY(first == 'n')) {
        if ((outcome = read_word(reader, text, "null")) != TAKEN)
            return outcome;
        if (!(column->flags & NULLABLE))
            return REFUSED;
        return add_nulls(column, row + 1) ? TAKEN : NO_MEMORY;
    }
    switch (column->kind) {
    case INTEGER:
    case TIMESTAMP: {
        if ((outcome = read_number(reader, text, &number)) != TAKEN)
            return outcome;
        const bool is_minus_zero = number.is_negative && !number.digits;
        if (!number.is_whole || number.is_cut || number.digits > INT64_MAX || is_minus_zero)
            return REFUSED;
        const int64_t value =
            number.is_negative ? -(int64_t)number.digits : (int64_t)number.digits;
        if (value < column->minimum)
            return REFUSED;
        if (!add_row(column, row))
            return NO_MEMORY;
        ((int64_t *)column->data)[row] = value;
        return TAKEN;
    }
    case FLOAT: {
        double value;
        if ((outcome = read_number(reader, text, &number)) != TAKEN)
            return outcome;
        if (!to_double(reader, &number, &value))
            return REFUSED;
        if (!add_row(column, row))
            return NO_MEMORY;
        ((double *)column->data)[row] = value;
        return TAKEN;
    }
    case BOOLEAN:
        if (first != 't' && first != 'f')
            return missing(reader, *text);
        outcome = read_word(reader, text, first == 't' ? "true" : "false");
        if (outcome != TAKEN)
            return outcome;
        if (!add_row(column, row))
            return NO_MEMORY;
        set_bit(column->data, row, first == 't');
        return TAKEN;
    case STRING:
        if (first != '"')
            return missing(reader, *text);
        ++*text;
        if ((outcome = read_string(reader, text, &string)) != TAKEN)
            return outcome;
        return store_string(reader, column, row, &string);
    case STRUCT:
        if (first != '{')
            return missing(reader, *text);
        ++*text;
        if (!add_row(column, row))
            return NO_MEMORY;
        return read_object(reader, column, row, text, depth + 1);
    default:
        return read_list(reader, column, row, text, depth);
    }
}

/* The column that a name stands for, and the colon after the name; -1 when there is none. */
static Outcome read_name(Reader *reader, const Column *column, const uint8_t **text, int *place) {
    String name;
    Outcome outcome;
    if (**text != '"')
        return missing(reader, *text);
    ++*text;
    if ((outcome = read_string(reader, text, &name)) != TAKEN)
        return outcome;
    if (name.has_escapes)
        return REFUSED;
    *text = after_space(*text);
    if (**text != ':')
        return missing(reader, *text);
    ++*text;
    for (*place = column->fields - 1; *place >= 0; --*place) {
        const Column *field = column->field[*place];
        /* Between the quotation marks. */
        if (field->key_size - 3 == name.size &&
            !memcmp(field->key + 1, name.text, (size_t)name.size))
            break;
    }
    return TAKEN;
}

/* The fields of an object, whose opening bracket was read. */
static Outcome read_object(
    Reader *reader, Column *column, int64_t row, const uint8_t **text, int64_t depth) {
    uint64_t seen = 0;
    Outcome outcome;
    int expected = 0; /* fields mostly come in the order of the columns */
    bool is_over = is_empty(text, '}');
    while (!is_over) {
        int place = expected;
        if (LIKELY(place < column->fields && starts_with(reader, *text, column->field[place]->key,
                                                         column->field[place]->key_size)))
            *text += column->field[place]->key_size;
        else if ((outcome = read_name(reader, column, text, &place)) != TAKEN)
            return outcome;
        *text = after_space(*text);
        if (LIKELY(place >= 0)) {
            const uint64_t bit = UINT64_C(1) << place;
            if (seen & bit)
                return REFUSED;
            seen |= bit;
            expected = place + 1;
            outcome = read_value(reader, column->field[place], row, text, depth);
        } else
            outcome = skip_value(reader, text, depth);
        if (outcome != TAKEN)
            return outcome;
        if ((outcome = read_separator(reader, text, '}', &is_over)) != TAKEN)
            return outcome;
    }
    return (seen & column->required) == column->required ? TAKEN : REFUSED;
}

/* What the caller calls */

static void free_column(Column *column) {
    if (!column)
        return;
    for (int i = 0; column->field && i < column->fields; i++)
        free_column(column->field[i]);
    free(column->field);
    free(column->key);
    free(column->name);
    free(column->values);
    free(column->data);
    free(column->valid);
    free(column->text);
    free(column);
}

static char *copied(const char *text, size_t size) {
    char *copy = malloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static size_t size_of_values(const char *values) {
    const char *end = values;
    while (*end)
        end += strlen(end) + 1;
    return (size_t)(end - values) + 1;
}

static Column *new_column(const Description **next) {
    const Description *description = (*next)++;
    const size_t size = strlen(description->key);
    Column *column = calloc(1, sizeof *column);
    if (!column)
        return NULL;
    column->kind = description->kind;
    column->flags = description->flags;
    column->minimum = description->minimum;
    column->text_row = -1;
    column->name = copied(description->name, strlen(description->name) + 1);
    column->key_size = (int64_t)size + 3;
    column->key = malloc(size + 3);
    column->field = calloc((size_t)description->fields + 1, sizeof *column->field);
    if (description->values)
        column->values = copied(description->values, size_of_values(description->values));
    bool is_whole = column->name && column->key && column->field &&
                    (column->values || !description->values) && description->fields <= MOST_FIELDS;
    if (is_whole) {
        column->key[0] = '"';
        memcpy(column->key + 1, description->key, size);
        memcpy(column->key + 1 + size, "\":", 2);
    }
    for (int i = 0; is_whole && i < description->fields; i++) {
        Column *field = new_column(next);
        column->field[column->fields++] = field;
        is_whole = field != NULL;
        if (is_whole && field->flags & REQUIRED)
            column->required |= UINT64_C(1) << i;
    }
    if (is_whole)
        return column;
    free_column(column);
    return NULL;
}

/* A reader of rows with these columns; NULL without memory, or when there are too many of them.
 *
 * powers: five to -342 and so on up to 308, with the highest bit set, cut to 128 bits.
 * depth: how many containers may be within one another.
 * most_waiting: how many bytes may wait for the end of their row. */
PUBLIC Reader *rows_new(
    const Description *columns, const uint64_t *powers, int64_t depth, int64_t most_waiting) {
    Reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->powers = powers;
    reader->depth = depth;
    reader->most_waiting = most_waiting;
    reader->root = new_column(&columns);
    if (reader->root)
        return reader;
    free(reader);
    return NULL;
}

PUBLIC void rows_free(Reader *reader) {
    free_column(reader->root);
    free(reader->buffer);
    free(reader);
}

/* Reads on, up to what is not complete; `*kept` is where the row that was taken last begins. */
static Outcome read_rows(Reader *reader, const uint8_t **text, const uint8_t **kept) {
    for (;;) {
        const uint8_t *at = after_space(*text);
        Outcome outcome;
        *text = at;
        if (at >= reader->end)
            return INCOMPLETE;
        switch (reader->state) {
        case BEFORE_ARRAY:
            if (*at != '[')
                return REFUSED;
            reader->state = BEFORE_FIRST;
            break;
        case BEFORE_FIRST:
        case BEFORE_ROW:
            if (*at == ']' && reader->state == BEFORE_FIRST) {
                reader->state = AFTER_ARRAY;
                break;
            }
            if (*at != '{')
                return REFUSED;
            *text = at + 1;
            if ((outcome = read_object(reader, reader->root, reader->rows, text, 2)) != TAKEN) {
                *text = at;
                return outcome;
            }
            reader->root->rows = ++reader->rows;
            reader->state = AFTER_ROW;
            *kept = at;
            continue;
        case AFTER_ROW:
            if (*at != ',' && *at != ']')
                return REFUSED;
            reader->state = *at == ',' ? BEFORE_ROW : AFTER_ARRAY;
            break;
        default:
            return REFUSED;
        }
        *text = at + 1;
    }
}

/* Takes more of the text: TAKEN, REFUSED when the rest is for another reader, or NO_MEMORY. */
PUBLIC int rows_read(Reader *reader, const uint8_t *text, int64_t size) {
    const int64_t needed = reader->size + size + PADDING;
    if (needed > reader->room) {
        if (!reserve(&reader->buffer, needed))
            return NO_MEMORY;
        reader->room = needed;
    }
    memcpy(reader->buffer + reader->size, text, (size_t)size);
    reader->size += size;
    memset(reader->buffer + reader->size, 0, PADDING);
    reader->end = reader->buffer + reader->size;
    const uint8_t *at = reader->buffer + reader->next, *kept = reader->buffer;
    const Outcome outcome = read_rows(reader, &at, &kept);
    cut_back(reader->root, reader->rows, reader->rows);
    reader->next = at - kept;
    reader->size -= kept - reader->buffer;
    memmove(reader->buffer, kept, (size_t)reader->size);
    if (outcome != INCOMPLETE)
        return outcome;
    return reader->size <= reader->most_waiting ? TAKEN : REFUSED;
}

/* How many rows wait to be handed out. */
PUBLIC int64_t rows_count(const Reader *reader) { return reader->rows; }

/* Whether the array was closed, and nothing but white space followed. */
PUBLIC bool rows_ended(const Reader *reader) { return reader->state == AFTER_ARRAY; }

/* The text from the row on that was taken last: what was not taken follows it. */
PUBLIC const uint8_t *rows_rest(const Reader *reader, int64_t *size) {
    *size = reader->size;
    return reader->buffer;
}

/* Handing out */

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child->release)
            child->release(child);
        free(child);
    }
    free(schema->children);
    free((void *)schema->name);
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];
        if (child->release)
            child->release(child);
        free(child);
    }
    for (int64_t i = 0; array->buffers && i < array->n_buffers; i++)
        free((void *)array->buffers[i]);
    free(array->buffers);
    free(array->children);
    array->release = NULL;
}

/* The memory without what is not used; there is some even for nothing. */
static void *fitted(uint8_t *memory, int64_t size) {
    uint8_t *smaller = realloc(memory, (size_t)(size ? size : 1));
    return smaller ? smaller : memory;
}

/* Hands a column out and empties it. What is made before memory fails belongs to the caller. */
static bool export_column(
    Column *column, int64_t rows, struct ArrowArray *array, struct ArrowSchema *schema) {
    static const char *const formats[] = {"l", "g", "b", "vu", "+s", "+L", "tsn:UTC"};
    static const int buffers[] = {2, 2, 2, 4, 1, 2, 2};
    *array = (struct ArrowArray){.length = rows, .release = release_array};
    *schema = (struct ArrowSchema){
        .format = formats[column->kind], .flags = NULLABLE, .release = release_schema};
    if (!add_nulls(column, rows) || (!column->room && !make_room(column, 1)))
        return false;
    const int64_t items = column->kind == LIST ? starts(column)[rows] : rows;
    schema->name = copied(column->name, strlen(column->name) + 1);
    array->buffers = calloc((size_t)buffers[column->kind], sizeof *array->buffers);
    array->children = calloc((size_t)column->fields + 1, sizeof *array->children);
    schema->children = calloc((size_t)column->fields + 1, sizeof *schema->children);
    if (!schema->name || !array->buffers || !array->children || !schema->children)
        return false;
    array->n_buffers = buffers[column->kind];
    array->null_count = column->valid ? -1 : 0; /* -1: not counted */
    array->buffers[0] = column->valid;
    if (column->kind != STRUCT)
        array->buffers[1] = fitted(column->data, bytes_of(column, rows));
    if (column->kind == STRING) {
        int64_t *size = malloc(sizeof *size); /* of each buffer of text */
        array->buffers[2] = fitted(column->text, column->text_size);
        array->buffers[3] = size;
        if (size)
            *size = column->text_size;
    }
    const bool has_memory = array->buffers[array->n_buffers - 1] || column->kind == STRUCT;
    column->data = column->valid = column->text = NULL;
    column->usual_rows = rows + rows / 16;
    column->usual_text = column->text_size + column->text_size / 16;
    column->rows = column->room = column->text_size = column->text_room = 0;
    column->text_row = -1;
    for (int i = 0; has_memory && i < column->fields; i++) {
        Column *field = column->field[i];
        if (!(field->flags & WANTED)) {
            clear(field);
            continue;
        }
        struct ArrowArray *child = calloc(1, sizeof *child);
        struct ArrowSchema *child_schema = calloc(1, sizeof *child_schema);
        if (!child || !child_schema) {
            free(child);
            free(child_schema);
            return false;
        }
        array->children[array->n_children++] = child;
        schema->children[schema->n_children++] = child_schema;
        if (!export_column(field, items, child, child_schema))
            return false;
    }
    return has_memory;
}

/* Hands out the rows so far as one array of structs; false without memory, and then they are lost. */
PUBLIC bool rows_export(Reader *reader, struct ArrowArray *array, struct ArrowSchema *schema) {
    const bool is_whole = export_column(reader->root, reader->rows, array, schema);
    reader->rows = 0;
    return is_whole;
}

/* Frees what was handed out, as far as nobody has taken it over. */
PUBLIC void rows_release(struct ArrowArray *array, struct ArrowSchema *schema) {
    if (array->release)
        array->release(array);
    if (schema->release)
        schema->release(schema);
}
