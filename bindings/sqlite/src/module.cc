#include "cirro/module/module.h"
#include "box.h"
#include "cirro/sqlite/sqlite.h"
#include "store.h"

namespace cirro::internal::sqlite {
namespace {

constexpr SqliteApi kApi{&LetterStore::Make, &OpenBox};

}  // namespace
}  // namespace cirro::internal::sqlite

CIRRO_MODULE(sqlite, cirro::internal::sqlite::kApi)
