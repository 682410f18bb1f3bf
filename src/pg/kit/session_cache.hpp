// What a session remembers of the catalogs, and forgets when they change.
#pragma once

#include <initializer_list>
#include <type_traits>

#include "pg/kit/postgres.hpp"

extern "C" {
#include "utils/hsearch.h"
}

namespace clientele {

// From now on calls forget(relation) whenever a relation changes; with InvalidOid where any may have, and whenever one
// of these system caches (PROCOID, ...) does. Call it once: PostgreSQL has room for few of these.
void watch_catalogs(void (*forget)(Oid relation), std::initializer_list<int> caches);

// A table of the session: entries by a key, which is their first member. It is there from the first use on, of which
// `begin` is told; whoever has watch_catalogs() called there is not called before there is a table.
template <class Entry>
class SessionCache {
  public:
    using Key = decltype(Entry::key);
    static_assert(std::has_unique_object_representations_v<Key>, "keys are compared by their bytes");

    constexpr SessionCache(const char* name, void (*begin)()) : name_(name), begin_(begin) {}

    // nullptr where there is none.
    Entry* find(const Key& key) { return static_cast<Entry*>(hash_search(table(), &key, HASH_FIND, nullptr)); }

    // A new one is all zeros but for its key.
    Entry& get(const Key& key) {
        bool found;
        auto* entry = static_cast<Entry*>(hash_search(table(), &key, HASH_ENTER, &found));
        if (!found) {
            *entry = {};
            entry->key = key;
        }
        return *entry;
    }

    void remove(const Key& key) { hash_search(table(), &key, HASH_REMOVE, nullptr); }

    // Of all that there are at first, the visited one may be removed.
    template <class Visit>
    void each(const Visit& visit) {
        HASH_SEQ_STATUS all;
        hash_seq_init(&all, table());
        while (auto* entry = static_cast<Entry*>(hash_seq_search(&all))) visit(*entry);
    }

  private:
    HTAB* table() {
        if (!table_) {
            HASHCTL control{};
            control.keysize = sizeof(Key);
            control.entrysize = sizeof(Entry);
            table_ = hash_create(name_, 16, &control, HASH_ELEM | HASH_BLOBS);
            begin_();
        }
        return table_;
    }

    const char* name_;
    void (*begin_)();
    HTAB* table_ = nullptr;
};

}  // namespace clientele
