// Expects an Error with a code and a piece of its message.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "parsimony/core/error.hpp"

namespace parsimony {

template <class Body>
void expect_error(ErrorCode code, const std::string& piece, const Body& body) {
  try {
    body();
    ADD_FAILURE() << "no error; expected: " << piece;
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    EXPECT_NE(std::string(error.what()).find(piece), std::string::npos)
        << "message: " << error.what() << "\nexpected: " << piece;
  }
}

}  // namespace parsimony
