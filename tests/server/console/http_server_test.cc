// Over a real socket, with a real client.
#include "server/console/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <string>

#include "absl/status/status.h"

namespace maillage::server {
namespace {

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server.Get("/oui", [] { return HttpReply{200, "text/plain; charset=utf-8", "oui\n"}; });
    server.Get("/panne", []() -> HttpReply { throw std::runtime_error("secret"); });
    ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
    port = std::stoi(server.address().substr(server.address().rfind(':') + 1));
  }
  httplib::Result Ask(const std::string& path, const std::string& host = "") {
    httplib::Client client("127.0.0.1", port);
    return host.empty() ? client.Get(path.c_str()) : client.Get(path.c_str(), {{"Host", host}});
  }

  HttpServer server;
  int port = 0;
};

TEST_F(HttpServerTest, AnswersAndLetsNobodyFrameOrCacheIt) {
  const httplib::Result answer = Ask("/oui");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "oui\n");
  EXPECT_THAT(answer->get_header_value("Content-Security-Policy"), ::testing::HasSubstr("default-src 'none'"));
  EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
  EXPECT_EQ(Ask("/non")->status, 404);
}

// A page of another site can have its own name lead to 127.0.0.1, and then ask in its visitor's browser.
TEST_F(HttpServerTest, AnswersToItsOwnNamesAlone) {
  for (const char* own : {"127.0.0.1:", "localhost:", "[::1]:"}) EXPECT_EQ(Ask("/oui", own + std::to_string(port))->status, 200) << own;
  for (const char* other : {"evil.test", "evil.test:80", "127.0.0.1", "localhost:1", "127.0.0.1.evil.test"}) {
    const httplib::Result answer = Ask("/oui", other);
    EXPECT_EQ(answer->status, 421) << other;
    EXPECT_THAT(answer->body, ::testing::Not(::testing::HasSubstr("oui")));
  }
}

TEST_F(HttpServerTest, WhatFailsTellsNothingOfItself) {
  const httplib::Result answer = Ask("/panne");
  EXPECT_EQ(answer->status, 500);
  EXPECT_THAT(answer->body, ::testing::Not(::testing::HasSubstr("secret")));
  for (const auto& [name, value] : answer->headers) EXPECT_THAT(value, ::testing::Not(::testing::HasSubstr("secret"))) << name;
}

TEST_F(HttpServerTest, APortThatIsTakenIsToldAndSoIsOneThatIsNotThisMachines) {
  HttpServer second;
  const absl::Status taken = second.Start(server.address());
  EXPECT_TRUE(absl::IsFailedPrecondition(taken)) << taken;
  EXPECT_THAT(taken.message(), ::testing::HasSubstr("prise"));
  EXPECT_TRUE(absl::IsInvalidArgument(HttpServer().Start("0.0.0.0:0")));
  EXPECT_TRUE(absl::IsInvalidArgument(HttpServer().Start("127.0.0.1")));
}

TEST_F(HttpServerTest, StopsWithoutBeingAsked) {
  HttpServer never_started;
  HttpServer at_once;
  ASSERT_TRUE(at_once.Start("127.0.0.1:0").ok());
  const std::string address = at_once.address();
  at_once.Stop();
  at_once.Stop();
  EXPECT_FALSE(httplib::Client("http://" + address).Get("/oui")) << "nobody answers any more";
}

}  // namespace
}  // namespace maillage::server
