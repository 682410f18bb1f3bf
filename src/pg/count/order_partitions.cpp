#include "pg/count/order_partitions.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace clientele {
namespace {

constexpr std::uint32_t first_chunk = 1024;
constexpr std::int64_t one_partition = 2 << 20;  // what a single partition holds before orders are scattered
constexpr std::uint32_t max_fan_out = 256;
constexpr std::size_t read_buffer = 128 * 1024;

int bits_of(const Partitions& partitions) { return std::countr_zero(partitions.fan_out); }

constexpr int unscattered = -1;  // the level of a set of one partition

PartitionSet* new_set(Partitions& partitions, PartitionSet* parent, int level, std::uint32_t count) {
    auto* set = static_cast<PartitionSet*>(MemoryContextAllocZero(partitions.memory, sizeof(PartitionSet)));
    set->parent = parent;
    set->level = level;
    set->shift = level == unscattered ? 0 : static_cast<unsigned>(64 - bits_of(partitions) * (level + 1));
    set->count = count;
    // A split must not wait for memory that only its end will free.
    set->limit = std::max(partitions.limit, partitions.used + partitions.limit / 4);
    set->partitions = static_cast<Partition*>(MemoryContextAllocZero(partitions.memory, count * sizeof(Partition)));
    return set;
}

void free_set(PartitionSet* set) {
    pfree(set->partitions);
    pfree(set);
}

void close_chunk(Partition& partition) {
    if (partition.last) partition.last->used = static_cast<std::uint32_t>(partition.at - partition.last->begin());
}

Chunk* new_chunk(Partitions& partitions, std::size_t size) {
    auto* chunk = static_cast<Chunk*>(MemoryContextAllocHuge(partitions.memory, size));
    chunk->next = nullptr;
    chunk->used = 0;
    chunk->size = static_cast<std::uint32_t>(size);
    partitions.used += static_cast<std::int64_t>(size);
    return chunk;
}

void free_chunk(Partitions& partitions, Chunk* chunk) {
    partitions.used -= chunk->size;
    pfree(chunk);
}

void append_chunk(Partition& partition, Chunk* chunk) {
    close_chunk(partition);
    (partition.last ? partition.last->next : partition.first) = chunk;
    partition.last = chunk;
    partition.bytes += chunk->size;
    partition.at = chunk->begin();
    partition.end = reinterpret_cast<char*>(chunk) + chunk->size;
}

// A tape holds chunks one behind the other: how many bytes, and the bytes. The last chunk stays for what follows.
void spill(Partitions& partitions, Partition& partition) {
    if (!partition.first || partition.at == partition.first->begin()) return;
    if (!partition.tape) {
        if (!partitions.tapes) partitions.tapes = LogicalTapeSetCreate(true, nullptr, -1);
        partition.tape = LogicalTapeCreate(partitions.tapes);
        partitions.used += BLCKSZ;
    }
    close_chunk(partition);
    while (Chunk* chunk = partition.first) {
        LogicalTapeWrite(partition.tape, &chunk->used, sizeof chunk->used);
        LogicalTapeWrite(partition.tape, chunk->begin(), chunk->used);
        partition.taped += chunk->used;
        if (!chunk->next) break;
        partition.first = chunk->next;
        free_chunk(partitions, chunk);
    }
    partition.bytes = partition.last->size;
    partition.at = partition.last->begin();
}

void spill_all(Partitions& partitions) {
    MemoryContext caller = MemoryContextSwitchTo(partitions.memory);
    for (std::uint32_t i = 0; i < partitions.set->count; ++i) {
        CHECK_FOR_INTERRUPTS();
        spill(partitions, partitions.set->partitions[i]);
    }
    partitions.spilled = true;
    MemoryContextSwitchTo(caller);
}

// Gives back the memory of partitions that hold nothing in it.
void free_empty(Partitions& partitions) {
    for (std::uint32_t i = 0; i < partitions.set->count; ++i) {
        Partition& partition = partitions.set->partitions[i];
        if (!partition.last || partition.at != partition.first->begin()) continue;
        free_chunk(partitions, partition.first);
        partition.first = partition.last = nullptr;
        partition.at = partition.end = nullptr;
        partition.bytes = 0;
    }
}

// One partition has become too large: from now on there are many.
void scatter(Partitions& partitions) {
    Chunk* run = take_run(partitions, partitions.set->partitions[0], PG_INT64_MAX);
    free_set(partitions.set);
    partitions.set = new_set(partitions, nullptr, 0, partitions.fan_out);
    for_each_record(partitions.kind, run, [&](const Record& record) {
        const std::size_t size = record_size(partitions.kind, record);
        std::memcpy(add_record(partitions, record, size)->rest, record.rest, size - sizeof(Record));
    });
    free_run(partitions, run);
}

Partition& partition_of(const Partitions& partitions, std::uint64_t word) {
    const PartitionSet& set = *partitions.set;
    return set.partitions[(mix(word) >> set.shift) & (set.count - 1)];
}

// Chunks double in size, as the partition does; powers of two are what the allocator likes.
void make_room(Partitions& partitions, const Record& head, std::size_t size) {
    Partition* partition = &partition_of(partitions, head.word);
    if (partitions.set->level == unscattered && partition->bytes >= std::min(one_partition, partitions.limit / 4)) {
        scatter(partitions);
        partition = &partition_of(partitions, head.word);
        if (static_cast<std::size_t>(partition->end - partition->at) >= size) return;
    }
    const auto doubled = std::clamp<std::int64_t>(partition->bytes, first_chunk, partitions.max_chunk);
    const std::size_t chunk_size = std::max(static_cast<std::size_t>(doubled), sizeof(Chunk) + size);
    if (partitions.used + static_cast<std::int64_t>(chunk_size) > partitions.set->limit) {
        spill_all(partitions);
        if (static_cast<std::size_t>(partition->end - partition->at) >= size) return;
    }
    append_chunk(*partition, new_chunk(partitions, chunk_size));
}

Chunk* read_chunk(Partitions& partitions, Partition& partition) {
    if (partition.taped == 0) return nullptr;
    MemoryContext caller = MemoryContextSwitchTo(partitions.memory);
    if (!partition.rewound) LogicalTapeRewindForRead(partition.tape, read_buffer);
    partition.rewound = true;
    std::uint32_t size = 0;
    if (LogicalTapeRead(partition.tape, &size, sizeof size) != sizeof size) elog(ERROR, "temporary file is too short");
    Chunk* chunk = new_chunk(partitions, sizeof(Chunk) + size);
    chunk->used = size;
    if (LogicalTapeRead(partition.tape, chunk->begin(), size) != size) elog(ERROR, "temporary file is too short");
    partition.taped -= size;
    if (partition.taped == 0) {
        LogicalTapeClose(partition.tape);
        partition.tape = nullptr;
        partitions.used -= BLCKSZ;
    }
    MemoryContextSwitchTo(caller);
    return chunk;
}

Chunk* take_chunk(Partitions& partitions, Partition& partition) {
    Chunk* chunk = partition.first;
    if (!chunk) return read_chunk(partitions, partition);
    close_chunk(partition);
    partition.first = chunk->next;
    partition.bytes -= chunk->size;
    if (!partition.first) {
        partition.last = nullptr;
        partition.at = partition.end = nullptr;
    }
    return chunk;
}

}  // namespace

void init_partitions(Partitions& partitions, MemoryContext memory, KeyKind kind, std::int64_t limit) {
    partitions = {};
    partitions.memory = memory;
    partitions.kind = kind;
    partitions.limit = std::max<std::int64_t>(limit, 512 * 1024);
    // Each partition that was spilled has a buffer of a block, and a chunk that is being filled.
    const auto affordable = static_cast<std::uint64_t>(partitions.limit / (4 * BLCKSZ));
    partitions.fan_out = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::bit_floor(affordable), max_fan_out));
    const auto share = std::bit_floor(static_cast<std::uint64_t>(partitions.limit) / (8 * partitions.fan_out));
    partitions.max_chunk = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(share, first_chunk, 64 * 1024));
    partitions.set = new_set(partitions, nullptr, unscattered, 1);
}

Record* add_record(Partitions& partitions, const Record& head, std::size_t size) {
    Partition* partition = &partition_of(partitions, head.word);
    if (unlikely(static_cast<std::size_t>(partition->end - partition->at) < size)) {
        make_room(partitions, head, size);
        partition = &partition_of(partitions, head.word);
    }
    auto* record = reinterpret_cast<Record*>(partition->at);
    partition->at += size;
    record->at = head.at;
    record->packed = head.packed;
    record->word = head.word;
    return record;
}

void finish_input(Partitions& partitions) {
    if (!partitions.spilled) return;
    spill_all(partitions);
    free_empty(partitions);
}

Partition* next_partition(Partitions& partitions) {
    while (PartitionSet* set = partitions.set) {
        while (set->next < set->count) {
            Partition& partition = set->partitions[set->next++];
            if (partition_bytes(partition) > 0) return &partition;
        }
        partitions.set = set->parent;
        free_set(set);
    }
    return nullptr;
}

bool can_be_split(const Partitions& partitions) { return bits_of(partitions) * (partitions.set->level + 2) <= 64; }

void begin_split(Partitions& partitions) {
    partitions.set = new_set(partitions, partitions.set, partitions.set->level + 1, partitions.fan_out);
}

Chunk* take_run(Partitions& partitions, Partition& partition, std::int64_t max_bytes) {
    Chunk* run = nullptr;
    Chunk** end = &run;
    std::int64_t bytes = 0;
    while (bytes < max_bytes) {
        CHECK_FOR_INTERRUPTS();
        Chunk* chunk = take_chunk(partitions, partition);
        if (!chunk) break;
        chunk->next = nullptr;
        *end = chunk;
        end = &chunk->next;
        bytes += chunk->size;
    }
    return run;
}

void free_run(Partitions& partitions, Chunk* run) {
    while (run) {
        Chunk* next = run->next;
        free_chunk(partitions, run);
        run = next;
    }
}

void close_partitions(Partitions& partitions) {
    if (partitions.tapes) LogicalTapeSetClose(partitions.tapes);
}

}  // namespace clientele
