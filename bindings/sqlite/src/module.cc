#include "cirro/module/module.h"
#include "box.h"
#include "cirro/sqlite/sqlite.h"
#include "store.h"

namespace cirro::internal {
namespace {

constexpr SqliteApi kApi{&LetterStore::Make, &OpenBox};

}  // namespace
}  // namespace cirro::internal

CIRRO_MODULE(sqlite, cirro::internal::kApi)
