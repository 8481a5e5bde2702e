#include "store/id_table.h"

#include "base/random.h"

namespace contextcore::store {

const HashSecret& hash_secret() {
  static const HashSecret secret = [] {
    HashSecret made;
    real_random().fill(&made, sizeof(made));
    made.first |= 1;
    made.second |= 1;
    return made;
  }();
  return secret;
}

}  // namespace contextcore::store
