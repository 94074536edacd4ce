#include "tests/sim/weather.h"

namespace maillage::sim {
namespace {

// Evenly spread over the orders of magnitude between both.
uint64_t LogBetween(SeededRandom& random, uint64_t low, uint64_t high) {
  uint64_t doublings = 0;
  while (low << (doublings + 1) <= high) ++doublings;
  const uint64_t base = low << random.Below(doublings + 1);
  return base + random.Below(base);
}

uint64_t Sometimes(SeededRandom& random, uint64_t one_in, uint64_t low, uint64_t high) {
  const uint64_t value = LogBetween(random, low, high);
  return random.OneIn(one_in) ? value : 0;
}

// Once to a few dozen times in the run, or never.
uint64_t Sometimes(SeededRandom& random, uint64_t one_in, const Weather& weather) {
  return Sometimes(random, one_in, weather.span / 32, 2 * weather.span);
}

void DrawNetwork(SeededRandom& random, Weather& weather) {
  weather.latency = LogBetween(random, 1, 2 * kSecond);
  weather.frames_in_flight = 1 + random.Below(8);
  weather.link_up = random.OneIn(4) ? 0 : LogBetween(random, weather.span / 64, weather.span);
  weather.link_down = LogBetween(random, 10 * kSecond, weather.span / 4);
  weather.one_way_pause = Sometimes(random, 3, weather);
  if (random.OneIn(6)) {
    weather.lost_frames = static_cast<uint32_t>(Sometimes(random, 2, 10, 2000));
    weather.doubled_frames = static_cast<uint32_t>(Sometimes(random, 2, 10, 2000));
    weather.overtaking_frames = static_cast<uint32_t>(Sometimes(random, 2, 10, 2000));
  }
  weather.link_pause_pause = Sometimes(random, 4, weather);
}

void DrawMachines(SeededRandom& random, Weather& weather) {
  weather.crash_pause = Sometimes(random, 2, weather);
  weather.down = LogBetween(random, kSecond, weather.span / 8);
  weather.crashes_with_damage_percent = random.OneIn(3) ? static_cast<uint32_t>(random.Below(80)) : 0;
  weather.failed_commits = static_cast<uint32_t>(Sometimes(random, 3, 10, 500));
  weather.disk_full_pause = Sometimes(random, 4, weather);
  weather.clock_skew = Sometimes(random, 2, kSecond, 10 * kYear);
  weather.clock_jump_pause = Sometimes(random, 4, weather);
}

void DrawOperators(SeededRandom& random, Weather& weather) {
  weather.backup_pause = Sometimes(random, 2, weather);
  weather.restore_pause = Sometimes(random, 2, weather);
  weather.clone_pause = Sometimes(random, 4, weather);
  weather.retire_pause = Sometimes(random, 6, weather);
}

}  // namespace

Weather DrawWeather(SeededRandom& random, SeededRandom scopes, SeededRandom members) {
  Weather weather;
  weather.antennas = 1 + random.Below(2);
  weather.relays = 1 + random.Below(4);
  weather.relays_meet = random.OneIn(3);
  weather.span = LogBetween(random, 6 * kHour, 14 * kDay);
  weather.records = 1 + LogBetween(random, 1, 16);
  const size_t sites = weather.antennas + weather.relays;
  const uint64_t edits = LogBetween(random, 16, 160);
  weather.edit_pause = weather.span * sites / edits + 1;
  weather.stale_reads_percent = static_cast<uint32_t>(random.Below(60));
  DrawNetwork(random, weather);
  DrawMachines(random, weather);
  DrawOperators(random, weather);
  weather.scope_pause = Sometimes(scopes, 3, weather);
  weather.members = members.OneIn(4);
  return weather;
}

uint64_t Pause(SeededRandom& random, uint64_t mean) { return random.Below(2 * mean + 1); }

}  // namespace maillage::sim
