// Expects that work stops when it is told to, wherever it reports progress.
#pragma once

#include <gtest/gtest.h>

#include <stop_token>
#include <string_view>

#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {

/// Counts the progress calls of body(context), then runs it anew for one call in `stride` and cancels it
/// there: it must throw cancelled, but for the last `last` calls, after which nothing may be left to cancel.
/// Returns the calls.
template <class Body>
int expect_cancels(int stride, const Body& body, int last = 2) {
  int calls = 0;
  Context counting(2);
  counting.on_progress = [&](std::string_view, std::int64_t, std::int64_t) { ++calls; };
  body(counting);
  for (int at = 1; at <= calls; at += stride) {
    std::stop_source source;
    Context context(2);
    context.stop = source.get_token();
    context.on_progress = [&, seen = 0](std::string_view, std::int64_t, std::int64_t) mutable {
      if (++seen == at) source.request_stop();
    };
    try {
      body(context);
      EXPECT_GT(at, calls - last) << "was not cancelled at call " << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::cancelled);
    }
  }
  return calls;
}

}  // namespace parsimony
