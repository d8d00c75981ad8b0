// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_runner.h"

#include <stdbool.h>
#include <string.h>

#include "runner_config.h"

#define INPUTS EB_RUNNER_INPUTS
#if EB_RUNNER_FORM == EB_RUNNER_FLOATS
#define LOAD_BYTES (4u * INPUTS)
#else
#define LOAD_BYTES INPUTS
#endif

/* The runner knows the firmware by this text. */
#define PROFILE "ULPMark for tinyML Firmware V0.0.1"

static char command[EB_RUNNER_COMMAND_BYTES + 1];
static size_t length; /* of the command so far; more than its size if it is too long */

static uint8_t loaded[LOAD_BYTES];
static size_t expected, position; /* bytes of the input, and those that have come */
static bool complete, inferred;

static _Alignas(16) int8_t input[INPUTS];
static _Alignas(16) int8_t output[EB_RUNNER_OUTPUTS];

static void text(const char *part)
{
    eb_runner_write(part, strlen(part));
}

static void line(const char *before, const char *middle, const char *after)
{
    text(before);
    text(middle);
    text(after);
    text("\r\n");
}

static void number(uint64_t value, uint32_t least_digits)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + (char)(value % 10u));
        value /= 10u;
    } while (value || sizeof digits - at < least_digits);
    eb_runner_write(digits + at, sizeof digits - at);
}

static void line_of(const char *before, uint64_t value, const char *after)
{
    text(before);
    number(value, 1);
    text(after);
    text("\r\n");
}

/* A number of billionths, with six decimals. */
static void decimal(int64_t billionths)
{
    const bool negative = billionths < 0;
    const uint64_t micros = ((uint64_t)(negative ? -billionths : billionths) + 500u) / 1000u;

    if (negative && micros) {
        text("-");
    }
    number(micros / 1000000u, 1);
    text(".");
    number(micros % 1000000u, 6);
}

/* Next word of the command, which it ends with 0; NULL if there is none. */
static char *next_word(char **rest)
{
    char *word = *rest;

    while (*word == ' ') {
        word++;
    }
    if (*word == 0) {
        return NULL;
    }
    char *end = word;
    while (*end != 0 && *end != ' ') {
        end++;
    }
    *rest = *end ? end + 1 : end;
    *end = 0;
    return word;
}

/* Value of decimal digits, at most INT32_MAX; -1 for anything else. */
static int32_t count_of(const char *word)
{
    int64_t value = 0;

    do {
        if (*word < '0' || *word > '9') {
            return -1;
        }
        value = value * 10 + (*word - '0');
        if (value > INT32_MAX) {
            return -1;
        }
    } while (*++word);
    return (int32_t)value;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void timestamp(void)
{
    line_of("m-lap-us-", eb_runner_micros(), "");
}

#if EB_RUNNER_FORM == EB_RUNNER_FLOATS
/* Rounds half away from zero, without libm; what is not a number is the least value. */
static int8_t quantize(float value)
{
    const float steps = value / EB_RUNNER_INPUT_SCALE;

    if (!(steps > -512.0f)) {
        return -128;
    }
    if (steps > 512.0f) {
        return 127;
    }
    int32_t whole = (int32_t)steps;
    const float rest = steps - (float)whole;
    whole += EB_RUNNER_INPUT_ZERO + (rest >= 0.5f) - (rest <= -0.5f);
    return (int8_t)(whole < -128 ? -128 : whole > 127 ? 127 : whole);
}
#endif

static void make_input(void)
{
#if EB_RUNNER_FORM == EB_RUNNER_TENSOR
    memcpy(input, loaded, INPUTS);
#elif EB_RUNNER_FORM == EB_RUNNER_PIXELS
    for (size_t i = 0; i < INPUTS; i++) {
        input[i] = (int8_t)(loaded[i] - 128);
    }
#else
    for (size_t i = 0; i < INPUTS; i++) {
        float value;
        memcpy(&value, loaded + 4 * i, 4);
        input[i] = quantize(value);
    }
#endif
}

static void results(void)
{
    if (!inferred) {
        line("e-[No inference yet]", "", "");
        return;
    }
    text("m-results-[");
#if EB_RUNNER_FORM == EB_RUNNER_FLOATS
    float sum = 0.0f;
    for (size_t i = 0; i < INPUTS; i++) {
        float value;
        memcpy(&value, loaded + 4 * i, 4);
        value -= (float)(output[i] - EB_RUNNER_OUTPUT_ZERO) * EB_RUNNER_OUTPUT_SCALE;
        sum += value * value;
    }
    const float mean = sum / (float)INPUTS;
    decimal(mean < 9e9f ? (int64_t)(mean * 1e9f) : INT64_MAX - 500);
#else
    for (size_t i = 0; i < EB_RUNNER_OUTPUTS; i++) {
        if (i) {
            text(",");
        }
        decimal((int64_t)(output[i] - EB_RUNNER_OUTPUT_ZERO) * EB_RUNNER_OUTPUT_BILLIONTHS);
    }
#endif
    line("]", "", "");
}

static void infer(char *rest)
{
    const char *word = next_word(&rest);
    const int32_t count = word ? count_of(word) : 1;
    const char *second = next_word(&rest);
    const int32_t warmups = second ? count_of(second) : word ? 10 : 0;

    if (count <= 0) {
        line("e-[Inference iterations must be >0]", "", "");
        return;
    }
    if (warmups < 0) {
        line("e-[Inference warmup must be >=0]", "", "");
        return;
    }
    if (!complete) {
        line_of("e-[No input: load its ", LOAD_BYTES, " bytes first]");
        return;
    }
    make_input();
    line_of("m-warmup-start-", (uint64_t)warmups, "");
    for (int32_t i = 0; i < warmups; i++) {
        eb_runner_infer(input, output);
    }
    line("m-warmup-done", "", "");
    line_of("m-infer-start-", (uint64_t)count, "");
    timestamp();
    for (int32_t i = 0; i < count; i++) {
        eb_runner_infer(input, output);
    }
    timestamp();
    line("m-infer-done", "", "");
    inferred = true;
    results();
}

static void load(char *rest)
{
    const char *word = next_word(&rest);
    const int32_t count = word ? count_of(word) : 0;

    if (!word) {
        line("e-[Command 'db load' requires the # of bytes]", "", "");
    } else if (count <= 0) {
        line("e-[Command 'db load' must be >0 bytes]", "", "");
    } else if ((size_t)count != LOAD_BYTES) {
        line_of("e-[The model's input has ", LOAD_BYTES, " bytes]");
    } else {
        expected = LOAD_BYTES;
        position = 0;
        complete = inferred = false;
        line_of("m-[Expecting ", LOAD_BYTES, " bytes]");
    }
}

static void print_loaded(void)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < position; i++) {
        const char byte[2] = {digits[loaded[i] >> 4], digits[loaded[i] & 15u]};
        text(i % 8u ? "-" : "m-buffer-");
        eb_runner_write(byte, sizeof byte);
        if (i % 8u == 7u || i + 1 == position) {
            text("\r\n");
        }
    }
}

static void load_bytes(const char *digits)
{
    const size_t count = strlen(digits);

    if (count % 2u) {
        line("e-[Insufficient number of hex digits]", "", "");
        return;
    }
    if (position == expected) {
        line("e-[No bytes expected: 'db load' comes first]", "", "");
        return;
    }
    /* Digits behind the last byte are disregarded, as by the reference implementation. */
    for (size_t i = 0; i < count && position < expected; i += 2) {
        const int high = hex_digit(digits[i]), low = hex_digit(digits[i + 1]);
        if (high < 0 || low < 0) {
            line("e-[Invalid hex digit]", "", "");
            return;
        }
        loaded[position++] = (uint8_t)(high << 4 | low);
    }
    if (position == expected) {
        complete = true;
        line("m-load-done", "", "");
    }
}

static void data(char *rest)
{
    const char *word = next_word(&rest);

    if (!word) {
        line("e-[Command 'db' requires a subcommand]", "", "");
    } else if (strcmp(word, "load") == 0) {
        load(rest);
    } else if (strcmp(word, "print") == 0) {
        print_loaded();
    } else {
        load_bytes(word);
    }
}

static void help(void)
{
    static const char *const lines[] = {
        PROFILE,
        "",
        "help           : Print this information",
        "name           : Print the name of the device",
        "profile        : Print the profile and the model",
        "timestamp      : Print the time in microseconds",
        "db load N      : Expect N bytes of input",
        "db HH[HH]*     : Load bytes",
        "db print       : Print the bytes that were loaded",
        "infer N [W=10] : Run N inferences after W warm-ups",
        "results        : Print the real values of the outputs",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        line(lines[i], "", "");
    }
}

static void execute(void)
{
    char *rest = command;
    const char *word = next_word(&rest);

    if (length > EB_RUNNER_COMMAND_BYTES) {
        line_of("e-[Command is longer than ", EB_RUNNER_COMMAND_BYTES, " characters]");
    } else if (!word) {
        line("e-[Unknown command: ]", "", "");
    } else if (strcmp(word, "name") == 0) {
        line("m-name-dut-[", EB_RUNNER_NAME, "]");
    } else if (strcmp(word, "timestamp") == 0) {
        timestamp();
    } else if (strcmp(word, "profile") == 0) {
        line("m-profile-[", PROFILE, "]");
        line("m-model-[", EB_RUNNER_MODEL, "]");
    } else if (strcmp(word, "help") == 0) {
        help();
    } else if (strcmp(word, "db") == 0) {
        data(rest);
    } else if (strcmp(word, "infer") == 0) {
        infer(rest);
    } else if (strcmp(word, "results") == 0) {
        results();
    } else {
        line("e-[Unknown command: ", word, "]");
    }
    line("m-ready", "", "");
}

void eb_runner_start(void)
{
    length = expected = position = 0;
    complete = inferred = false;
    line("m-timestamp-mode-performance", "", "");
    timestamp();
    line("m-init-done", "", "");
    line("m-ready", "", "");
}

void eb_runner_push(uint8_t byte)
{
    if (byte == '%') {
        command[length < EB_RUNNER_COMMAND_BYTES ? length : EB_RUNNER_COMMAND_BYTES] = 0;
        execute();
        length = 0;
    } else if (byte >= ' ' &&
               byte < 0x7f) { /* ends of lines, and noise, are no part of a command */
        if (length < EB_RUNNER_COMMAND_BYTES) {
            command[length] = (char)byte;
        }
        if (length <= EB_RUNNER_COMMAND_BYTES) {
            length++;
        }
    }
}
