/* For a build of the reader whose every piece of memory ends where a page begins that may not be
 * touched: one byte too far, read or written, ends the process. There is no room to spare either,
 * and memory can be made to fail. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST_ROWS 1
#define FIRST_BYTES 1

typedef struct {
    char *pages;
    size_t size, mapped;
} Guarded;

static inline size_t rounded(size_t size) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

/* What is known of a piece is in a page of its own, before the one that the piece begins in. */
static inline Guarded *header_of(const void *memory) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (Guarded *)(((uintptr_t)memory / page) * page - page);
}

__attribute__((visibility("default"))) int64_t allocations_left = INT64_MAX;

static inline void *guarded_malloc(size_t size) {
    if (--allocations_left < 0)
        return NULL;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = rounded(size ? size : 1);
    char *pages = mmap(NULL, inner + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + page + inner, page, PROT_NONE))
        abort();
    memset(pages + page, 0xa5, inner);
    char *memory = pages + page + inner - size; /* so it begins in the second page */
    Guarded *header = (Guarded *)pages;
    *header = (Guarded){pages, size, inner + 2 * page};
    return memory;
}

static inline void guarded_free(void *memory) {
    if (memory) {
        Guarded *header = header_of(memory);
        munmap(header->pages, header->mapped);
    }
}

static inline void *guarded_calloc(size_t count, size_t size) {
    void *memory = guarded_malloc(count * size);
    return memory ? memset(memory, 0, count * size) : NULL;
}

static inline void *guarded_realloc(void *memory, size_t size) {
    void *larger = guarded_malloc(size);
    if (larger && memory) {
        const size_t before = header_of(memory)->size;
        memcpy(larger, memory, before < size ? before : size);
        guarded_free(memory);
    }
    return larger;
}

#define malloc guarded_malloc
#define calloc guarded_calloc
#define realloc guarded_realloc
#define free guarded_free
