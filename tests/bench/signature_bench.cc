// What trust costs: signing and verifying a change, against libsodium's own of 32 bytes; an import and a first
// synchronisation between members of a network (signatures, and mutual TLS), against the same without one.
#include <sodium/crypto_sign.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "replication/change_signature.h"
#include "replication/record_reader.h"
#include "server/identity.h"
#include "server/trust/certificate.h"
#include "server/trust/entries.h"
#include "server/trust/network_file.h"
#include "tests/bench/disk_site.h"
#include "tests/bench/node_pair.h"
#include "tests/bench/run.h"

namespace maillage::bench {
namespace {

using replication::SigningKey;

// A network of the site in `first`, an antenna, and of the one in `second`, a relay of everything.
v1::NetworkFile Found(const std::string& first, const std::string& second) {
  for (const std::string& folder : {first, second}) std::filesystem::create_directories(folder);
  server::MachineRandom random;
  const server::EntryOrigin origin{"banc", server::MachineClock().NowMillis()};
  const SigningKey lyon = Must(server::LoadOrCreateIdentity(first));
  const SigningKey savoie = Must(server::LoadOrCreateIdentity(second));
  const SigningKey authority = SigningKey::Generate(random);
  v1::NetworkFile network =
      server::FoundNetwork("banc", "lyon", lyon, authority, SigningKey::Generate(random), origin, random);
  const auto membership =
      Must(replication::Membership::Of(*replication::NetworkId::FromBytes(network.network()), network.log()));
  v1::Enrolment wanted;
  wanted.set_key(savoie.public_key());
  wanted.set_name("savoie");
  wanted.set_role(v1::ROLE_RELAY);
  *network.mutable_log()->add_entry() =
      server::SignEntry(Must(server::EnrolmentEntry(membership, wanted, origin)), {&authority});
  for (const auto& [folder, key] : {std::pair{&first, &lyon}, std::pair{&second, &savoie}}) {
    MustBeOk(server::WriteNetworkFile(*folder, network));
    MustBeOk(server::WriteCertificate(
        *folder, Must(server::IssueCertificate(lyon, key->public_key(), std::string(16, '\x11'), origin.now_millis))));
  }
  return network;
}

std::vector<std::string> ChangesOf(DiskSite& site) {
  std::vector<std::string> changes;
  for (uint64_t position = 1; position <= RunSizes().records; ++position) {
    const auto entry = replication::ReadFeedEntry(site.replica().store(), position);
    if (entry.ok() && !entry->change.empty()) changes.push_back(entry->change);
  }
  return changes;
}

// Microseconds of one.
template <typename Act>
double Micros(size_t count, Act act) {
  const Stopwatch watch;
  for (size_t i = 0; i < count; ++i) act(i);
  return watch.Seconds() * 1e6 / static_cast<double>(count);
}

void Signatures(benchmark::State& state) {
  for (auto _ : state) {
    ScratchFolder folder;
    const v1::NetworkFile file = Found(folder.In("full"), folder.In("fresh"));
    const auto network = *replication::NetworkId::FromBytes(file.network());
    DiskSite site(folder.In("full"));
    ImportActors(site, std::min<size_t>(RunSizes().records, 5'000));
    const std::vector<std::string> changes = ChangesOf(site);
    const SigningKey key = Must(server::LoadOrCreateIdentity(folder.In("full")));
    std::array<unsigned char, 32> message{};
    std::array<unsigned char, crypto_sign_BYTES> signature;
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_key;
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_key;
    crypto_sign_keypair(public_key.data(), secret_key.data());
    const double raw_sign = Micros(changes.size(), [&](size_t) {
      crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_key.data());
    });
    const double raw_verify = Micros(changes.size(), [&](size_t) {
      const int valid = crypto_sign_verify_detached(signature.data(), message.data(), message.size(), public_key.data());
      if (valid != 0) Die("libsodium doesn't know its own signature");
    });
    std::vector<std::string> alone;
    for (const std::string& change : changes) alone.push_back(EncodeChange(*replication::DecodeChange(change)));
    std::vector<std::string> together = alone;
    std::vector<std::string*> all;
    for (std::string& change : together) all.push_back(&change);
    const double sign = Micros(alone.size(), [&](size_t i) { replication::SignChange(key, network, alone[i]); });
    const Stopwatch watch;
    replication::SignChanges(key, network, all);
    const double sign_together = watch.Seconds() * 1e6 / static_cast<double>(all.size());
    const auto verify_all = [&](const std::vector<std::string>& signed_changes, replication::VerifiedRoots* roots) {
      return Micros(signed_changes.size(), [&](size_t i) {
        const bool valid = replication::VerifyChange(signed_changes[i], network, key.public_key(), roots);
        if (!valid) Die("a signature that isn't its author's");
      });
    };
    replication::VerifiedRoots roots;
    const double verify = verify_all(alone, nullptr);
    const double verify_together = verify_all(together, &roots);
    state.SetIterationTime((sign + verify) / 1e6);
    Report(state, "sign_us", sign, raw_sign);
    Report(state, "sign_together_us", sign_together, raw_sign);
    Report(state, "verify_us", verify, raw_verify);
    Report(state, "verify_together_us", verify_together, raw_verify);
    Report(state, "signature_bytes_alone", static_cast<double>(replication::kSignatureFieldSize));
    Report(state, "signature_bytes_together", static_cast<double>(together.front().size() - alone.front().size() + replication::kSignatureFieldSize));
  }
}
BENCHMARK(Signatures)->Name("signatures")->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

// Imports into `folder`; records per second.
double ImportRate(const std::string& folder) {
  DiskSite site(folder);
  return static_cast<double>(RunSizes().records) / ImportActors(site, RunSizes().records).seconds;
}

double FirstSyncRate(const std::string& full, const std::string& fresh, uint64_t* wire_bytes) {
  NodePair nodes(full, fresh);
  const Stopwatch watch;
  nodes.Connect();
  const double seconds = watch.Seconds();
  *wire_bytes = nodes.WireBytes();
  return static_cast<double>(RunSizes().records) / seconds;
}

void Members(benchmark::State& state) {
  for (auto _ : state) {
    ScratchFolder folder;
    Found(folder.In("full"), folder.In("fresh"));
    const double plain_import = ImportRate(folder.In("plain_full"));
    const double import = ImportRate(folder.In("full"));
    uint64_t plain_bytes = 0;
    uint64_t bytes = 0;
    const double plain = FirstSyncRate(folder.In("plain_full"), folder.In("plain_fresh"), &plain_bytes);
    const double secured = FirstSyncRate(folder.In("full"), folder.In("fresh"), &bytes);
    const auto records = static_cast<double>(RunSizes().records);
    state.SetIterationTime(records / secured);
    Report(state, "import_records_per_s", import, plain_import);
    Report(state, "first_sync_records_per_s", secured, plain);
    Report(state, "wire_bytes_per_record", static_cast<double>(bytes) / records,
           static_cast<double>(plain_bytes) / records);
  }
}
BENCHMARK(Members)->Name("members")->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace maillage::bench
