// Precompiled once per build (cmake/ContextCoreRooms.cmake): what most files include anyway. Nothing relies on it: the
// build of the Python package compiles without it. System headers only: with g++, `#pragma once` of one of ours fails when
// the precompiled one was made from a file of another age.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
