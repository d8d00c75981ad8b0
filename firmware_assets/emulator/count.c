// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* QEMU TCG plugin: counts executed instructions, by stretch of the program and by function.
 *
 * A stretch begins when the instruction at one of the marked addresses is about to execute, and
 * lasts until the next mark; before the first mark, stretch 0. Within a stretch, instructions are
 * counts for the function that holds them. Counts are exact and the same in every run.
 *
 * Arguments:
 *   map=FILE   lines "function START SIZE" and "mark ADDRESS STRETCH"; numbers in hex; the
 *              n-th function line is function n, counts from 1; 0 is whatever is in none
 *   out=FILE   written at exit: lines "STRETCH FUNCTION COUNT ENTRIES" in decimal, where COUNT is
 *              not 0; ENTRIES is how often the stretch began
 *   each=FILE  optional; written at exit: lines "STRETCH ADDRESS COUNT TAKEN" in decimal, one
 *              an instruction of the functions; TAKEN is how often another instruction than
 *              the following one was executed next
 *
 * QEMU's plugin header is not packaged everywhere; the part of version 1 of its interface that is
 * used is declared here (docs/devel/tcg-plugins.rst and include/qemu/qemu-plugin.h of QEMU).
 */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*qemu_plugin_udata_cb_t)(qemu_plugin_id_t id, void *userdata);
typedef void (*qemu_plugin_vcpu_udata_cb_t)(unsigned int vcpu_index, void *userdata);
typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                                  qemu_plugin_vcpu_tb_trans_cb_t cb);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, qemu_plugin_udata_cb_t cb,
                                           void *userdata);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                                   qemu_plugin_vcpu_udata_cb_t cb,
                                                   enum qemu_plugin_cb_flags flags, void *userdata);
extern void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
                                                       enum qemu_plugin_op op, void *ptr,
                                                       uint64_t imm);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
                                                        size_t index);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                                 qemu_plugin_vcpu_udata_cb_t cb,
                                                 enum qemu_plugin_cb_flags flags, void *userdata);

#define EXPORT __attribute__((visibility("default")))
EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

EXPORT int qemu_plugin_version = 1;

typedef struct {
    uint64_t start, size;
} function;

typedef struct {
    uint64_t address;
    size_t stretch;
} mark;

static function *functions; /* [1..function_count], by address */
static mark *marks;
static size_t function_count, mark_count, stretch_count = 1;

/* Instructions of all functions, by half word from the first one's start on. */
static uint64_t first_place, place_count;
static uint64_t *executed_now,
    *jumped_now;                    /* [place]: executions and jumps since the stretch began */
static uint64_t *executed, *jumped; /* [stretch][place] */
static const char *each;

/* The end of the block that last_block last: its last instruction's place, and the address behind it. */
typedef struct {
    uint64_t start, end;
    size_t last;
} block;
static const block *last_block;

static uint64_t *counts_now; /* [function]: since the stretch began */
static uint64_t *counts;     /* [stretch][function] */
static uint64_t *entries;    /* [stretch] */
static size_t stretch;
static const char *out;

static void *grow(void *array, size_t count, size_t size)
{
    void *more = realloc(array, (count + 1) * size);
    if (!more) {
        fputs("count: out of memory\n", stderr);
        exit(1);
    }
    return more;
}

static bool read_map(const char *name)
{
    FILE *file = fopen(name, "r");
    if (!file) {
        return false;
    }
    char kind[16];
    uint64_t first, second;
    functions = grow(functions, 0, sizeof *functions);
    while (fscanf(file, "%15s %" SCNx64 " %" SCNx64, kind, &first, &second) == 3) {
        if (!strcmp(kind, "function")) {
            functions = grow(functions, function_count + 1, sizeof *functions);
            functions[++function_count] = (function){first, second};
        } else {
            marks = grow(marks, mark_count, sizeof *marks);
            marks[mark_count++] = (mark){first, (size_t)second};
            if ((size_t)second >= stretch_count) {
                stretch_count = (size_t)second + 1;
            }
        }
    }
    const bool whole = feof(file);
    fclose(file);
    return whole;
}

static size_t function_at(uint64_t address)
{
    size_t low = 1, high = function_count + 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (functions[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const size_t index = low - 1;
    return index && address - functions[index].start < functions[index].size ? index : 0;
}

static bool find_place(uint64_t address, size_t *place)
{
    *place = (size_t)((address - first_place) / 2);
    return address >= first_place && *place < place_count;
}

static void end_stretch(void)
{
    for (size_t p = 0; each && p < place_count; p++) {
        executed[stretch * place_count + p] += executed_now[p];
        jumped[stretch * place_count + p] += jumped_now[p];
        executed_now[p] = jumped_now[p] = 0;
    }
    for (size_t f = 0; f <= function_count; f++) {
        counts[stretch * (function_count + 1) + f] += counts_now[f];
        counts_now[f] = 0;
    }
}

static void begin_stretch(unsigned int vcpu, void *userdata)
{
    (void)vcpu;
    end_stretch();
    stretch = (size_t)(uintptr_t)userdata;
    entries[stretch]++;
}

/* Before a block's first instruction; what came before it has jumped if it does not end here. */
static void begin_block(unsigned int vcpu, void *userdata)
{
    (void)vcpu;
    const block *now = userdata;
    if (last_block && last_block->end != now->start && last_block->last < place_count) {
        jumped_now[last_block->last]++;
    }
    last_block = now;
}

static void count_each(struct qemu_plugin_tb *tb, size_t count)
{
    block *now = grow(NULL, 0, sizeof *now); /* never freed: the block may run until the end */
    struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, count - 1);
    now->start = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
    now->end = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last);
    if (!find_place(qemu_plugin_insn_vaddr(last), &now->last)) {
        now->last = place_count;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, begin_block, QEMU_PLUGIN_CB_NO_REGS, now);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        size_t place;
        if (find_place(qemu_plugin_insn_vaddr(insn), &place)) {
            qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                       &executed_now[place], 1);
        }
    }
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(tb);
    if (each && count) {
        count_each(tb, count);
    }
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        for (size_t m = 0; m < mark_count; m++) {
            if (marks[m].address == address) {
                qemu_plugin_register_vcpu_insn_exec_cb(insn, begin_stretch, QEMU_PLUGIN_CB_NO_REGS,
                                                       (void *)(uintptr_t)marks[m].stretch);
            }
        }
        /* By instruction, not by block: a block that ends early, by a fault or by semihosting,
         * has not executed all of its instructions. */
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                   &counts_now[function_at(address)], 1);
    }
}

static void write_each(void)
{
    FILE *file = fopen(each, "w");
    if (!file) {
        fprintf(stderr, "count: cannot write %s\n", each);
        return;
    }
    for (size_t s = 0; s < stretch_count; s++) {
        for (size_t p = 0; p < place_count; p++) {
            const size_t i = s * place_count + p;
            if (executed[i]) {
                fprintf(file, "%zu %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", s,
                        first_place + 2 * (uint64_t)p, executed[i], jumped[i]);
            }
        }
    }
    fclose(file);
}

static void finish(qemu_plugin_id_t id, void *userdata)
{
    (void)id;
    (void)userdata;
    end_stretch();
    if (each) {
        write_each();
    }
    FILE *file = fopen(out, "w");
    if (!file) {
        fprintf(stderr, "count: cannot write %s\n", out);
        return;
    }
    for (size_t s = 0; s < stretch_count; s++) {
        for (size_t f = 0; f <= function_count; f++) {
            const uint64_t count = counts[s * (function_count + 1) + f];
            if (count) {
                fprintf(file, "%zu %zu %" PRIu64 " %" PRIu64 "\n", s, f, count, entries[s]);
            }
        }
    }
    fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    const char *map = NULL;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "map=", 4)) {
            map = argv[i] + 4;
        } else if (!strncmp(argv[i], "out=", 4)) {
            out = strdup(argv[i] + 4);
        } else if (!strncmp(argv[i], "each=", 5)) {
            each = strdup(argv[i] + 5);
        }
    }
    if (!map || !out || !read_map(map)) {
        fputs("count: needs map=FILE that can be read, and out=FILE\n", stderr);
        return 1;
    }
    counts_now = calloc(function_count + 1, sizeof *counts_now);
    counts = calloc(stretch_count * (function_count + 1), sizeof *counts);
    entries = calloc(stretch_count, sizeof *entries);
    bool enough = counts_now && counts && entries;
    if (each && function_count) {
        first_place = functions[1].start;
        place_count =
            (functions[function_count].start + functions[function_count].size - first_place + 1) /
            2;
        executed_now = calloc(place_count, sizeof *executed_now);
        jumped_now = calloc(place_count, sizeof *jumped_now);
        executed = calloc(stretch_count * place_count, sizeof *executed);
        jumped = calloc(stretch_count * place_count, sizeof *jumped);
        enough = enough && executed_now && jumped_now && executed && jumped;
    }
    if (!enough) {
        fputs("count: out of memory\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
