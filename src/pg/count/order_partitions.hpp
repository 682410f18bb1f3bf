// Orders scattered by their customers' hash, in bounded memory: what does not fit goes to temporary files.
//
// All of it is plain memory of one context; nothing here has a destructor. A few orders cost a few hundred bytes: there
// is one partition until they outgrow the processor's cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/profile/profile.hpp"

#include "pg/kit/numeric.hpp"
#include "pg/kit/postgres.hpp"

extern "C" {
#include "utils/logtape.h"
}

namespace clientele {

// What a partition holds: an order, or the encoded profile of several. Its size is a multiple of 8 bytes.
struct Record {
    Instant at;            // of a profile: how many bytes it has
    std::int64_t packed;   // pack_amount(), or profile_mark
    std::uint64_t word;    // of the key: see KeyKind
    std::uint64_t rest[];  // of the key, and then the tie, or the profile
};

// integer: the word is the key. uuid: one word of rest, and `word` holds the other half, mixed with it. text: the word
// is a hash; rest is the length and then the bytes, padded with zeros.
enum class KeyKind : std::uint8_t { integer, uuid, text };

// A decimal more or less tells profiles apart, so an amount keeps its scale, in its last three bits. The fourth says
// whether the order has a tie.
constexpr std::int64_t profile_mark = PG_INT64_MIN;
constexpr std::int64_t tie_bit = 8;
inline std::int64_t pack_amount(const Scaled& amount, Tie tie) {
    return amount.value * 16 + (tie != no_tie ? tie_bit : 0) + amount.scale;
}
inline Money unpack_amount(std::int64_t packed) { return packed >> 4; }
inline int unpack_scale(std::int64_t packed) { return static_cast<int>(packed & 7); }
inline std::size_t tie_size(std::int64_t packed) { return packed & tie_bit ? sizeof(Tie) : 0; }

constexpr std::size_t padded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

// The bytes of a key behind its word.
inline std::size_t rest_size(KeyKind kind, const std::uint64_t* rest) {
    return kind == KeyKind::integer ? 0 : kind == KeyKind::uuid ? 8 : 8 + padded(rest[0]);
}
inline std::size_t record_size(KeyKind kind, const Record& record) {
    const std::size_t size = sizeof(Record) + rest_size(kind, record.rest) + tie_size(record.packed);
    return likely(record.packed != profile_mark) ? size : size + padded(static_cast<std::size_t>(record.at));
}
inline Tie record_tie(KeyKind kind, const Record& record) {
    if ((record.packed & tie_bit) == 0) return no_tie;
    return static_cast<Tie>(record.rest[rest_size(kind, record.rest) / sizeof *record.rest]);
}
inline Bytes record_profile(KeyKind kind, const Record& record) {
    return {reinterpret_cast<const std::uint8_t*>(record.rest) + rest_size(kind, record.rest),
            static_cast<std::size_t>(record.at)};
}

// The finalizer of MurmurHash3: a bijection, so that different integers never have the same hash.
inline std::uint64_t mix(std::uint64_t word) {
    word = (word ^ (word >> 33)) * 0xFF51AFD7ED558CCDu;
    word = (word ^ (word >> 33)) * 0xC4CEB9FE1A85EC53u;
    return word ^ (word >> 33);
}

struct Chunk {
    Chunk* next;
    std::uint32_t used;  // bytes of records; set when the chunk is closed
    std::uint32_t size;  // bytes of the chunk, this header included
    Record records[];

    char* begin() { return reinterpret_cast<char*>(records); }
    char* end() { return begin() + used; }
};

struct Partition {
    char* at;  // where the next record goes
    char* end;
    Chunk* first;
    Chunk* last;
    std::int64_t bytes;  // of chunks in memory
    std::int64_t taped;  // bytes on the tape that were not read back
    LogicalTape* tape;
    bool rewound;
};

// Partitions by some bits of the hash. What is too large to be loaded is split by the next bits.
struct PartitionSet {
    PartitionSet* parent;
    int level;
    unsigned shift;
    std::uint32_t count;
    std::uint32_t next;  // to be taken
    std::int64_t limit;  // of Partitions::used
    Partition* partitions;
};

struct Partitions {
    MemoryContext memory;
    KeyKind kind;
    bool spilled;
    std::uint32_t fan_out;    // partitions of a set, a power of two
    std::uint32_t max_chunk;  // bytes
    std::int64_t limit;       // of used, roughly
    std::int64_t used;        // bytes of chunks and of what the owner adds
    LogicalTapeSet* tapes;
    PartitionSet* set;  // the innermost
};

void init_partitions(Partitions& partitions, MemoryContext memory, KeyKind kind, std::int64_t limit);

// Room for a record in the innermost set, which begins like `head`; the rest is the caller's to write.
Record* add_record(Partitions& partitions, const Record& head, std::size_t size);

// No record follows but those of splits.
void finish_input(Partitions& partitions);
// Takes the next partition that is not empty, innermost set first; nullptr at the end.
Partition* next_partition(Partitions& partitions);
inline std::int64_t partition_bytes(const Partition& partition) { return partition.bytes + partition.taped; }
bool can_be_split(const Partitions& partitions);
void begin_split(Partitions& partitions);

// Takes records out of a partition: chunks of about max_bytes together, at least one; nullptr at the end.
Chunk* take_run(Partitions& partitions, Partition& partition, std::int64_t max_bytes);
void free_run(Partitions& partitions, Chunk* run);
void close_partitions(Partitions& partitions);

// Calls visit(record) for each record of a run.
template <class Visit>
void for_each_record(KeyKind kind, Chunk* run, Visit&& visit) {
    for (Chunk* chunk = run; chunk; chunk = chunk->next) {
        CHECK_FOR_INTERRUPTS();
        for (char* at = chunk->begin(); at < chunk->end();) {
            auto& record = *reinterpret_cast<Record*>(at);
            at += record_size(kind, record);
            visit(record);
        }
    }
}

}  // namespace clientele
