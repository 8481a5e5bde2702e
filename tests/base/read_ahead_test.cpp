#include "base/read_ahead.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace contextcore {
namespace {

struct Item {
  std::vector<std::string> texts;
};

// Sequences of different lengths; each item says which it is.
class Texts {
 public:
  explicit Texts(std::vector<size_t> lengths) : lengths_(std::move(lengths)), next_(lengths_.size(), 0) {}

  Result<bool> read(size_t sequence, Item& item) {
    item.texts.clear();
    if (next_[sequence] == lengths_[sequence]) return false;
    item.texts.push_back(text(sequence, next_[sequence]++));
    return true;
  }
  static std::string text(size_t sequence, size_t number) {
    return std::to_string(sequence) + " of " + std::to_string(number);
  }

 private:
  std::vector<size_t> lengths_, next_;
};

TEST(ReadAhead, GivesWhatIsReadInWhateverOrderSequencesAreTaken) {
  SeededRandom random(1);
  for (const size_t alone : {0, 1, 7, 1000}) {
    const std::vector<size_t> lengths{0, 1, 40, 3, 200, 17};
    Texts texts(lengths);
    ReadAhead<Item> ahead(lengths.size(), alone, [&](size_t sequence, Item& item) { return texts.read(sequence, item); });
    std::vector<size_t> taken(lengths.size(), 0), left;
    std::vector<Item> items(lengths.size());
    for (size_t i = 0; i < lengths.size(); ++i) left.push_back(i);
    while (!left.empty()) {
      const size_t at = random.below(left.size());
      const size_t sequence = left[at];
      const Result<bool> more = ahead.take(sequence, items[sequence]);
      ASSERT_TRUE(more.ok());
      ASSERT_EQ(*more, taken[sequence] < lengths[sequence]);
      if (*more) {
        ASSERT_EQ(items[sequence].texts, std::vector{Texts::text(sequence, taken[sequence]++)});
      } else {
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }
}

TEST(ReadAhead, GivesAnErrorInItsPlace) {
  for (const size_t alone : {0, 10}) {
    size_t read = 0;
    ReadAhead<Item> ahead(1, alone, [&](size_t, Item&) -> Result<bool> {
      if (++read == 3) return Error{Code::corruption, "a bad one", {}, {}, {}};
      return true;
    });
    Item item;
    EXPECT_TRUE(ahead.take(0, item).ok());
    EXPECT_TRUE(ahead.take(0, item).ok());
    const Result<bool> third = ahead.take(0, item);
    ASSERT_FALSE(third.ok());
    EXPECT_EQ(third.error().message, "a bad one");
  }
}

TEST(ReadAhead, CanBeLeftInTheMiddle) {
  for (int times = 0; times < 50; ++times) {
    Texts texts({1000, 1000});
    ReadAhead<Item> ahead(2, 0, [&](size_t sequence, Item& item) { return texts.read(sequence, item); });
    Item item;
    for (int taken = 0; taken < times; ++taken) ASSERT_TRUE(ahead.take(static_cast<size_t>(taken % 2), item).ok());
  }
}

}  // namespace
}  // namespace contextcore
