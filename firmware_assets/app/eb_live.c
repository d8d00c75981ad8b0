// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

#include "eb_live.h"

#include <stdalign.h>

#include "decision_config.h"
#include "eb_network.h"
#include "eb_progress.h"
#include "eb_settings.h"
#include "eb_sink.h"
#include "eb_source.h"
#include "eb_watch.h"
#include "frontend_config.h"
#include "port.h"
#include "source_config.h"

#define LIMIT_US (EB_LIVE_LIMIT_MS * 1000u)
#define MOST_HOLD_MS 1000u
#define TURN_FRAMES 64u /* taken in a turn of the main loop, at most */

_Static_assert(EB_SOURCE_CHANNELS == EB_FRONTEND_CHANNELS &&
                   EB_SOURCE_RATE_MILLIHZ == EB_FRONTEND_RATE_MILLIHZ,
               "the source samples what the front end takes");
_Static_assert(EB_FRONTEND_IMAGE_BYTES == EB_MODEL_INPUT_BYTES,
               "the front end makes the images that the network takes");
_Static_assert((unsigned)EB_DECISION_BY_VOTE == EB_REASON_VOTE &&
                   (unsigned)EB_DECISION_UNCERTAIN == EB_REASON_UNCERTAIN &&
                   (unsigned)EB_DECISION_QUIET == EB_REASON_QUIET &&
                   (unsigned)EB_DECISION_HELD == EB_REASON_HELD,
               "the wire and the decision number the reasons alike");
_Static_assert(EB_LIVE_LIMIT_MS == PORT_GUARD_MS && EB_LIVE_LIMIT_MS == EB_SINK_TIMEOUT_MS,
               "one limit for all");

eb_live_counts eb_live_counted;

static alignas(16) uint8_t frontend[EB_FRONTEND_STATE_BYTES];

static struct {
    eb_server *server;
    eb_source_block block;
    bool has_block;
    uint32_t at;          /* frames of the block that have been taken */
    uint32_t next;        /* number of the next frame */
    uint32_t origin;      /* first frame since the front end was reset */
    uint32_t frontend_us; /* since the last decision */
    uint32_t last_us;     /* time of the last samples */
    uint16_t vote_resets;
    bool is_resting; /* without a segment: the reason stays until one is decided */
    bool is_broken;  /* the front end has to start over at the next frame */
    bool timed_out;  /* and no samples since */
    uint8_t decision;
    uint8_t reason;
    eb_decision_config settings;
    eb_decision_state votes;
    eb_activity activity;
    int16_t before[EB_FRONTEND_CHANNELS]; /* the previous sample, for the activity */
} live;

/* Emergencies that have not been handled; set by interrupts. */
static volatile bool supply_failed;
static volatile bool clock_failed;
static volatile bool was_silent;

void eb_emergency(port_emergency what)
{
    eb_sink_rest();
    supply_failed = supply_failed || what == PORT_EMERGENCY_SUPPLY;
    clock_failed = clock_failed || what == PORT_EMERGENCY_CLOCK;
    was_silent = was_silent || what == PORT_EMERGENCY_SILENT; /* after a fault it restarts */
}

void eb_progress_layer(void)
{
    port_watchdog_feed();
}

static void reset_votes(void)
{
    live.vote_resets++;
    eb_decision_reset(&live.votes);
}

/* Makes the decision rest until a segment is decided. */
static void rest(uint8_t reason)
{
    eb_sink_rest();
    /* A consequence does not hide its cause: samples are lost where none were taken. */
    if (live.is_resting && (reason == EB_REASON_OVERRUN || reason == EB_REASON_TIMEOUT)) {
        return;
    }
    const bool is_new = !live.is_resting || live.reason != reason;
    live.is_resting = true;
    live.decision = live.settings.rest;
    live.reason = reason;
    if (is_new) {
        eb_watch_rest(live.decision, live.reason);
    }
}

/* Rests, and starts over at the next frame. */
static void break_off(uint8_t reason)
{
    if (!live.is_broken) {
        reset_votes();
    }
    live.is_broken = true;
    rest(reason);
}

static void start_over(uint32_t frame)
{
    live.is_broken = false;
    live.origin = frame;
    live.frontend_us = 0;
    eb_frontend_reset(&eb_frontend_settings, frontend);
    eb_network_restart();
    eb_decision_reset(&live.votes);
    eb_activity_reset(&live.activity);
}

static uint8_t start_reason(void)
{
    switch (port_start_cause()) {
    case PORT_START_FAULT:
        return EB_REASON_FAULT;
    case PORT_START_WATCHDOG:
        return EB_REASON_WATCHDOG;
    case PORT_START_BROWNOUT:
        return EB_REASON_BROWNOUT;
    default:
        return port_clock_fallback() ? EB_REASON_CLOCK : EB_REASON_START;
    }
}

/* Time-out of the model, within the limit. */
static uint16_t own_timeout(void)
{
    const uint16_t own = eb_decision_settings.timeout_ms;

    return own == 0 || own > EB_LIVE_LIMIT_MS ? EB_LIVE_LIMIT_MS : own;
}

void eb_live_init(eb_server *server)
{
    eb_sink_start();
    live.server = server;
    live.settings = eb_decision_settings;
    live.settings.timeout_ms = own_timeout();
    live.has_block = false;
    live.next = 0;
    live.timed_out = false;
    live.decision = live.settings.rest;
    live.reason = start_reason();
    live.is_resting = true;
    start_over(0);
    if (!eb_source_start()) {
        rest(EB_REASON_DISCONNECTED);
    }
    live.last_us = port_micros();
}

void eb_live_restart(void)
{
    live.has_block = false;
    live.next = 0;
    eb_live_counted.decisions = 0;
    live.vote_resets = 0;
    break_off(EB_REASON_START);
    live.last_us = port_micros();
}

uint32_t eb_live_next_frame(void)
{
    return live.next;
}

bool eb_live_observed(void)
{
    return live.server->session != 0;
}

/* Microseconds from the trigger of the first frame of the block to that of the frame `at`. */
static uint32_t frames_us(uint32_t at)
{
    return (uint32_t)((uint64_t)at * 1000000000u / EB_SOURCE_RATE_MILLIHZ);
}

static void release(void)
{
    live.has_block = false;
    eb_source_release();
}

/* Skips everything that has been sampled so far: it would only be decided late again. */
static void skip(void)
{
    uint32_t skipped = live.block.frames - live.at;
    uint32_t end = live.block.first + live.block.frames;

    release();
    while (skipped < 2u * EB_SOURCE_RING_FRAMES && eb_source_take(&live.block)) {
        const uint32_t frames = live.block.frames;
        skipped += live.block.first - end + frames;
        end = live.block.first + frames;
        eb_live_counted.frames += frames;
        eb_watch_block(&live.block);
        eb_source_release();
        if (frames == 0) {
            break;
        }
    }
    eb_live_counted.lost += skipped;
    live.next = end;
}

/* Handles what the interrupts have reported; true if a decision is void by it. */
static bool check_emergency(void)
{
    const bool supply = supply_failed, clock = clock_failed;

    if (supply) {
        supply_failed = false;
        break_off(EB_REASON_BROWNOUT);
    }
    if (clock) {
        clock_failed = false;
        break_off(EB_REASON_CLOCK);
    }
    return supply || clock;
}

/* Runs the network on the image that is due, and acts on the decision if it is in time. */
static void decide(uint32_t sampled_us)
{
    const int8_t *image = eb_frontend_image(&eb_frontend_settings, frontend);
    const uint32_t start = port_micros();

    (void)eb_network_follow(image);
    const uint32_t activity = eb_activity_take(&live.activity);
    const uint32_t age = port_micros() - sampled_us;
    if (age > eb_live_counted.oldest_us) {
        eb_live_counted.oldest_us = age;
    }
    if (check_emergency()) {
        return;
    }
    if (age > LIMIT_US) {
        break_off(EB_REASON_LATE);
        skip();
        return;
    }
    const eb_decision_result result =
        eb_decide(&live.settings, &live.votes, eb_network_output, activity);
    was_silent = false;
    live.is_resting = false;
    live.decision = result.decision;
    live.reason = result.reason;
    eb_sink_decide(result.decision, activity);
    port_guard_refresh();
    if (supply_failed || clock_failed) { /* while the sink acted */
        eb_sink_rest();
    }
    const uint32_t now = port_micros();
    const eb_decision_event event = {
        .index = eb_live_counted.decisions++,
        .origin = live.origin,
        .end = live.next,
        .time_us = now,
        .frontend_us = live.frontend_us,
        .compute_us = now - start,
        .activity = activity,
        .vote_resets = live.vote_resets,
        .winner = result.winner,
        .decision = result.decision,
        .reason = result.reason,
        .logits = (const uint8_t *)eb_network_output,
        .logits_bytes = EB_MODEL_OUTPUT_BYTES,
    };
    live.frontend_us = 0;
    eb_watch_decision(&event, image);
}

/* Looks at a block before its samples are used. */
static void open_block(void)
{
    const eb_source_block *block = &live.block;

    eb_live_counted.frames += block->frames;
    live.at = 0;
    if ((block->flags & EB_SOURCE_OVERRUN) || block->first != live.next) {
        eb_live_counted.lost += block->first - live.next;
        break_off(EB_REASON_OVERRUN);
    }
    live.next = block->first;
    if (block->flags & EB_SOURCE_DISCONNECTED) {
        break_off(EB_REASON_DISCONNECTED);
    }
    if (block->flags & EB_SOURCE_LEAD_OFF) {
        break_off(EB_REASON_LEAD_OFF);
        live.at = block->frames; /* not to be decided on */
        live.next += block->frames;
        live.last_us = port_micros();
    }
    eb_watch_block(block);
}

/* Takes samples until a segment is due or the block ends. */
static void use_block(void)
{
    const eb_source_block *block = &live.block;
    const uint32_t start = port_micros();
    bool due = false;

    if (live.is_broken && live.at < block->frames) {
        start_over(block->first + live.at);
    }
    for (uint32_t turn = 0; turn < TURN_FRAMES && live.at < block->frames && !due; turn++) {
        const int16_t *sample = block->samples + (size_t)live.at * EB_SOURCE_CHANNELS;
        eb_activity_push(&live.activity, live.before, sample, EB_FRONTEND_CHANNELS);
        due = eb_frontend_push(&eb_frontend_settings, frontend, sample);
        live.at++;
        live.next++;
        live.timed_out = false;
    }
    live.last_us = port_micros();
    live.frontend_us += live.last_us - start;
    if (!live.is_resting && live.last_us - block->time_us - frames_us(live.at - 1u) <= LIMIT_US) {
        port_guard_refresh(); /* the decision stands until the next one is due */
    }
    if (due) {
        decide(block->time_us + frames_us(live.at - 1u));
    }
}

static bool sample(void)
{
    if (!live.has_block) {
        live.has_block = eb_source_take(&live.block);
        if (!live.has_block) {
            return false;
        }
        open_block();
    }
    if (live.at < live.block.frames) {
        use_block();
    }
    if (live.has_block && live.at == live.block.frames) {
        const bool has_frames = live.block.frames != 0;
        release();
        return has_frames;
    }
    return true;
}

static void check_timeout(void)
{
    if (was_silent) { /* the sink rests already */
        was_silent = false;
        if (!live.is_resting) {
            rest(live.has_block ? EB_REASON_LATE : EB_REASON_TIMEOUT);
        }
    }
    if (port_micros() - live.last_us < live.settings.timeout_ms * 1000u) {
        return;
    }
    if (!live.timed_out) {
        live.timed_out = true;
        reset_votes();
        rest(EB_REASON_TIMEOUT);
    }
}

bool eb_live_step(void)
{
    (void)check_emergency();
    const bool worked = sample();
    check_timeout();
    eb_sink_step();
    eb_watch_step();
    /* Here either samples arrive and decisions are in time, or the sink rests. */
    port_watchdog_feed();
    return worked;
}

/* Takes over settings; other ones would misread the votes of those before. */
static void change(const eb_configure_request *wanted)
{
    const int16_t least = (int16_t)((int32_t)wanted->least - 128);
    eb_decision_config *own = &live.settings;

    if (own->votes == wanted->votes && own->hold == wanted->hold && own->least == least &&
        own->limit == wanted->limit && own->onset == wanted->onset &&
        own->timeout_ms == wanted->timeout_ms) {
        return;
    }
    eb_settings_take(wanted, own);
    reset_votes();
}

void eb_live_restore(void)
{
    const eb_configure_request own = {
        .votes = eb_decision_settings.votes,
        .hold = eb_decision_settings.hold,
        .rest = eb_decision_settings.rest,
        .least = (uint16_t)(eb_decision_settings.least + 128),
        .limit = eb_decision_settings.limit,
        .onset = eb_decision_settings.onset,
        .timeout_ms = own_timeout(),
    };
    change(&own);
}

uint8_t eb_live_settings(eb_answer *answer)
{
    eb_settings_answer_of(&live.settings, answer);
    return 0;
}

/* Segments for which a class may stay decided after the last one that voted for it. */
static uint32_t linger(uint8_t votes, uint8_t hold)
{
    return votes / 2u + hold;
}

/* Whether that is at most a second, or at most what the image was built with. */
static bool lets_go(uint8_t votes, uint8_t hold)
{
    const uint32_t segments = linger(votes, hold);
    const uint64_t milliseconds =
        (uint64_t)segments * EB_FRONTEND_STEP * 1000000u / EB_FRONTEND_RATE_MILLIHZ;

    return segments <= linger(eb_decision_settings.votes, eb_decision_settings.hold) ||
           milliseconds <= MOST_HOLD_MS;
}

uint8_t eb_live_configure(const eb_request *request, eb_answer *answer)
{
    eb_configure_request wanted;

    if (!eb_configure_request_read(&wanted, request->payload, request->payload_bytes)) {
        answer->detail = (uint32_t)request->payload_bytes;
        return EB_ERROR_PAYLOAD;
    }
    if (!eb_settings_fit(&wanted, &eb_decision_settings) || wanted.timeout_ms == 0 ||
        wanted.timeout_ms > EB_LIVE_LIMIT_MS || !lets_go(wanted.votes, wanted.hold)) {
        return EB_ERROR_SETTING;
    }
    change(&wanted);
    return 0;
}

uint8_t eb_live_current_decision(eb_answer *answer)
{
    const eb_rest_event event = {.time_us = port_micros(),
                                 .next_sample = live.next,
                                 .decision = live.decision,
                                 .reason = live.reason};
    answer->payload_bytes = eb_rest_event_write(&event, answer->payload);
    return 0;
}
