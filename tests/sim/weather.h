// What can go wrong in one simulated fleet, and how often. Drawn anew from each seed, most of it switched off in any
// one run (swarm testing: Groce et al., "Swarm Testing", ISSTA 2012): a run with crashes alone reaches states that
// a run with everything at once never does.
#ifndef MAILLAGE_TESTS_SIM_WEATHER_H_
#define MAILLAGE_TESTS_SIM_WEATHER_H_

#include <cstddef>
#include <cstdint>

#include "tests/replication/support/ports.h"

namespace maillage::sim {

using replication::testing::SeededRandom;

inline constexpr uint64_t kSecond = 1000;
inline constexpr uint64_t kMinute = 60 * kSecond;
inline constexpr uint64_t kHour = 60 * kMinute;
inline constexpr uint64_t kDay = 24 * kHour;
inline constexpr uint64_t kYear = 365 * kDay;

// Pauses are means, in milliseconds; 0: it never happens.
struct Weather {
  size_t antennas = 1;
  size_t relays = 2;
  // Relays that also call each other.
  bool relays_meet = false;
  uint64_t span = kDay;

  // People. All records are there for everyone to edit; few of them means many encounters.
  size_t records = 10;
  uint64_t edit_pause = kHour;
  uint32_t stale_reads_percent = 0;

  // Network.
  uint64_t latency = 20;
  size_t frames_in_flight = 4;
  uint64_t link_up = 0;
  uint64_t link_down = kHour;
  uint64_t one_way_pause = 0;
  // Of 10,000 frames. No stream over TCP does this; the session has to stay safe even so.
  uint32_t lost_frames = 0;
  uint32_t doubled_frames = 0;
  uint32_t overtaking_frames = 0;

  // Machines.
  uint64_t crash_pause = 0;
  uint64_t down = kMinute;
  uint32_t crashes_with_damage_percent = 0;
  // Of 10,000 commits: a failed sync, or the power going in the middle.
  uint32_t failed_commits = 0;
  uint64_t disk_full_pause = 0;
  uint64_t clock_skew = 0;
  uint64_t clock_jump_pause = 0;

  // Operators.
  uint64_t backup_pause = 0;
  uint64_t restore_pause = 0;
  uint64_t clone_pause = 0;
  uint64_t retire_pause = 0;
  uint64_t link_pause_pause = 0;
  // Relays hold a part of the territories, and an administrator changes which, this often.
  uint64_t scope_pause = 0;

  // They are members of a network: every change is signed, and verified wherever it comes.
  bool members = false;

  bool sound_transport() const {
    return lost_frames == 0 && doubled_frames == 0 && overtaking_frames == 0;
  }
};

// Scopes and members are drawn by themselves, so that the seeds without them are what they were before there were any.
Weather DrawWeather(SeededRandom& random, SeededRandom scopes, SeededRandom members);

// Between 0 and twice the mean.
uint64_t Pause(SeededRandom& random, uint64_t mean);

}  // namespace maillage::sim

#endif  // MAILLAGE_TESTS_SIM_WEATHER_H_
