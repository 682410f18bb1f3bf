#include <algorithm>
#include <bit>
#include <cstring>

#include "core/profile/profile.hpp"
#include "pg/kit/boundary.hpp"

#include "pg/count/order_groups.hpp"
#include "pg/count/order_partitions.hpp"

extern "C" {
#include "common/hashfn.h"
#include "port/pg_bswap.h"
}

namespace clientele {
namespace {

constexpr std::size_t fold_size = 65'536;    // orders that are folded without looking for interrupts
constexpr std::size_t worth_folding = 64;    // orders whose profile is much shorter than they are
constexpr std::int64_t max_run = 256 << 20;  // bytes that are grouped at once

// One customer of a run.
struct Group {
    std::uint64_t word;
    const Record* first;
    std::uint32_t end;    // of its elements
    std::uint32_t count;  // of its elements: orders, and profiles of orders
    bool has_profiles;
};

// A buffer that grows and is used again.
template <class Element>
struct Buffer {
    Element* data;
    std::size_t room;
};

// A profile that is done.
struct Result {
    std::uint64_t order;
    Datum key;
    struct varlena* profile;
};

struct Arena {
    Chunk* first;
    char* at;
    char* end;
    std::int64_t bytes;
};

}  // namespace

struct OrderGroups {
    MemoryContext memory;
    Oid key_type;
    bool finished;
    const Zone* zone;
    Partitions partitions;

    Buffer<std::uint32_t> slots;  // hash table: 1 + index of the group
    std::size_t slot_count;
    Buffer<Group> groups;
    std::size_t group_count;
    Buffer<std::uint32_t> owners;  // for each record of the run: index of its group
    Buffer<Order> elements;  // by group; of an order: time, packed amount and tie; of a profile: its record, the mark

    Arena arena;
    Buffer<Result> results;
    Buffer<Result> sorted;
    std::size_t result_count;
    std::size_t next_result;
};

namespace {

static_assert(std::is_trivially_destructible_v<OrderGroups>);

template <class Element>
void reserve(OrderGroups& groups, Buffer<Element>& buffer, std::size_t room) {
    if (buffer.room >= room) return;
    const std::size_t size = std::bit_ceil(room) * sizeof(Element);
    if (buffer.data) pfree(buffer.data);
    buffer.data = static_cast<Element*>(MemoryContextAllocHuge(groups.memory, size));
    buffer.room = size / sizeof(Element);
}

template <class Element>
Element& append(OrderGroups& groups, Buffer<Element>& buffer, std::size_t count) {
    if (count == buffer.room) {
        const std::size_t room = std::max<std::size_t>(2 * buffer.room, 16);
        auto* data = static_cast<Element*>(MemoryContextAllocHuge(groups.memory, room * sizeof(Element)));
        if (buffer.data) {
            std::memcpy(data, buffer.data, count * sizeof(Element));
            pfree(buffer.data);
        }
        buffer = {data, room};
    }
    return buffer.data[count];
}

// ---- Keys ----

std::uint64_t big_endian(const unsigned char* bytes) {
    std::uint64_t value;
    std::memcpy(&value, bytes, sizeof value);
    return pg_ntoh64(value);
}

// The halves of a uuid mixed, so that neither alone makes many keys collide, and can be told apart again.
std::uint64_t uuid_word(std::uint64_t high, std::uint64_t low) { return high ^ mix(low); }

std::int64_t integer_key(Oid type, Datum key) {
    return type == INT8OID ? DatumGetInt64(key) : type == INT4OID ? DatumGetInt32(key) : DatumGetInt16(key);
}

Datum integer_datum(Oid type, std::uint64_t word) {
    const auto value = static_cast<std::int64_t>(word);
    return type == INT8OID   ? Int64GetDatum(value)
           : type == INT4OID ? Int32GetDatum(static_cast<std::int32_t>(value))
                             : Int16GetDatum(static_cast<std::int16_t>(value));
}

bool same_key(KeyKind kind, const Record& a, const Record& b) {
    const std::size_t size = rest_size(kind, a.rest);
    return kind == KeyKind::integer || (rest_size(kind, b.rest) == size && std::memcmp(a.rest, b.rest, size) == 0);
}

// A record for an order whose key takes so many bytes behind its word.
Record* add_order_record(OrderGroups& groups, const Record& head, std::size_t key_size, Tie tie) {
    Record* record = add_record(groups.partitions, head, sizeof(Record) + key_size + tie_size(head.packed));
    if (head.packed & tie_bit) record->rest[key_size / sizeof *record->rest] = static_cast<std::uint64_t>(tie);
    return record;
}

void add_text(OrderGroups& groups, Datum key, Record head, Tie tie) {
    text* value = DatumGetTextPP(key);
    const std::size_t size = VARSIZE_ANY_EXHDR(value);
    auto* bytes = reinterpret_cast<const unsigned char*>(VARDATA_ANY(value));
    head.word = hash_bytes_extended(bytes, static_cast<int>(size), 0);
    Record* record = add_order_record(groups, head, 8 + padded(size), tie);
    record->rest[0] = size;
    if (size > 0) record->rest[padded(size) / 8] = 0;
    std::memcpy(record->rest + 1, bytes, size);
    if (reinterpret_cast<Pointer>(value) != DatumGetPointer(key)) pfree(value);
}

// ---- What is done: profiles in an arena ----

char* arena_room(OrderGroups& groups, std::size_t unpadded) {
    Arena& arena = groups.arena;
    const std::size_t size = padded(unpadded);
    if (static_cast<std::size_t>(arena.end - arena.at) >= size) return arena.at;
    const auto doubled = std::clamp<std::int64_t>(arena.bytes, 1024, 64 * 1024);
    const std::size_t room = std::max(static_cast<std::size_t>(doubled), sizeof(Chunk) + size);
    auto* chunk = static_cast<Chunk*>(MemoryContextAllocHuge(groups.memory, room));
    chunk->next = arena.first;
    arena.first = chunk;
    arena.bytes += static_cast<std::int64_t>(room);
    arena.at = chunk->begin();
    arena.end = reinterpret_cast<char*>(chunk) + room;
    return arena.at;
}

void take_room(OrderGroups& groups, std::size_t size) { groups.arena.at += padded(size); }

void free_arena(OrderGroups& groups) {
    while (Chunk* chunk = groups.arena.first) {
        groups.arena.first = chunk->next;
        pfree(chunk);
    }
    groups.arena = {};
}

Datum stored_key(OrderGroups& groups, const Record& record) {
    if (groups.partitions.kind == KeyKind::integer) return integer_datum(groups.key_type, record.word);
    if (groups.partitions.kind == KeyKind::uuid) {
        char* key = arena_room(groups, UUID_LEN);
        const std::uint64_t halves[] = {pg_hton64(uuid_word(record.word, record.rest[0])), pg_hton64(record.rest[0])};
        std::memcpy(key, halves, sizeof halves);
        take_room(groups, UUID_LEN);
        return PointerGetDatum(key);
    }
    const std::size_t size = record.rest[0];
    char* key = arena_room(groups, VARHDRSZ + size);
    SET_VARSIZE(key, VARHDRSZ + size);
    std::memcpy(VARDATA(key), record.rest + 1, size);
    take_room(groups, VARHDRSZ + size);
    return PointerGetDatum(key);
}

// As an unsigned number, the order in which results are given.
std::uint64_t order_of(KeyKind kind, const Record& record) {
    if (kind == KeyKind::integer) return record.word ^ (std::uint64_t{1} << 63);
    return kind == KeyKind::uuid ? uuid_word(record.word, record.rest[0]) : 0;
}

// ---- One customer ----

std::span<Order> elements_of(const OrderGroups& groups, const Group& group) {
    return {groups.elements.data + (group.end - group.count), group.count};
}

// Call it while thinking.
Profile profile_of_packed(std::span<Order> orders, const Zone& zone) {
    int scale = 0;
    for (Order& order : orders) {
        scale = std::max(scale, unpack_scale(order.amount));
        order.amount = unpack_amount(order.amount);
    }
    return profile_of(orders, scale, zone);
}

// The union of an encoded profile and what make() gives, at most `bound` bytes. The profile is encoded between the
// steps because no object may live while the backend looks for interrupts.
template <class Make>
Bytes merged(const OrderGroups& groups, Bytes folded, std::size_t bound, Make&& make) {
    const std::size_t room = folded.size() + bound;
    auto* data = static_cast<std::uint8_t*>(MemoryContextAllocHuge(groups.memory, room));
    std::size_t size = 0;
    think([&] {
        Profile profile = make();
        if (!folded.empty()) merge(profile, decode(folded));
        size = encode(profile, groups.zone->name, {data, room});
    });
    if (!folded.empty()) pfree(const_cast<std::uint8_t*>(folded.data()));
    CHECK_FOR_INTERRUPTS();
    return {data, size};
}

// The profile of many orders, and of profiles; the caller frees it.
Bytes fold(const OrderGroups& groups, std::span<Order> elements) {
    const auto orders_begin = std::partition(elements.begin(), elements.end(),
                                             [](const Order& element) { return element.amount == profile_mark; });
    Bytes folded;
    for (auto element = elements.begin(); element != orders_begin; ++element) {
        const auto& record =
            *reinterpret_cast<const Record*>(element->at);  // NOLINT(performance-no-int-to-ptr): a profile
        const Bytes profile = record_profile(groups.partitions.kind, record);
        folded = merged(groups, folded, profile.size() + encoded_bound(0), [&] { return decode(profile); });
    }
    std::span<Order> rest(orders_begin, elements.end());
    while (!rest.empty()) {
        const auto run = rest.first(std::min(rest.size(), fold_size));
        rest = rest.subspan(run.size());
        folded =
            merged(groups, folded, encoded_bound(run.size()), [&] { return profile_of_packed(run, *groups.zone); });
    }
    return folded;
}

bool is_simple(const Group& group) { return !group.has_profiles && group.count <= fold_size; }

struct varlena* make_profile(OrderGroups& groups, const Group& group) {
    const std::span<Order> elements = elements_of(groups, group);
    std::size_t size = 0;
    struct varlena* result;
    if (is_simple(group)) {
        const std::size_t room = encoded_bound(elements.size());
        result = reinterpret_cast<struct varlena*>(arena_room(groups, VARHDRSZ + room));
        const WritableBytes out(reinterpret_cast<std::uint8_t*>(VARDATA(result)), room);
        think([&] { size = encode(profile_of_packed(elements, *groups.zone), groups.zone->name, out); });
    } else {
        const Bytes folded = fold(groups, elements);
        size = folded.size();
        result = reinterpret_cast<struct varlena*>(arena_room(groups, VARHDRSZ + size));
        std::memcpy(VARDATA(result), folded.data(), size);
        pfree(const_cast<std::uint8_t*>(folded.data()));
    }
    SET_VARSIZE(result, VARHDRSZ + size);
    take_room(groups, VARHDRSZ + size);
    return result;
}

void add_result(OrderGroups& groups, const Group& group) {
    Result& result = append(groups, groups.results, groups.result_count);
    result.order = order_of(groups.partitions.kind, *group.first);
    result.key = stored_key(groups, *group.first);
    result.profile = make_profile(groups, group);
    ++groups.result_count;
}

// ---- Grouping a run ----

void place_groups(OrderGroups& groups, std::size_t slot_count) {
    reserve(groups, groups.slots, slot_count);
    groups.slot_count = slot_count;
    std::uint32_t* slots = groups.slots.data;
    std::memset(slots, 0, slot_count * sizeof *slots);
    for (std::size_t i = 0; i < groups.group_count; ++i) {
        std::size_t slot = mix(groups.groups.data[i].word);
        while (slots[slot &= slot_count - 1] != 0) ++slot;
        slots[slot] = static_cast<std::uint32_t>(i + 1);
    }
}

std::uint32_t add_group(OrderGroups& groups, const Record& record, std::size_t slot) {
    const std::size_t index = groups.group_count;
    append(groups, groups.groups, index) = {record.word, &record, 0, 0, false};
    groups.slots.data[slot] = static_cast<std::uint32_t>(++groups.group_count);
    if (2 * groups.group_count > groups.slot_count) place_groups(groups, 2 * groups.slot_count);
    return static_cast<std::uint32_t>(index);
}

std::uint32_t group_of(OrderGroups& groups, const Record& record) {
    const KeyKind kind = groups.partitions.kind;
    for (std::size_t slot = mix(record.word);; ++slot) {
        slot &= groups.slot_count - 1;
        const std::uint32_t found = groups.slots.data[slot];
        if (found == 0) return add_group(groups, record, slot);
        const Group& group = groups.groups.data[found - 1];
        if (group.word == record.word && same_key(kind, *group.first, record)) return found - 1;
    }
}

// Counts how many records each customer has.
void count_elements(OrderGroups& groups, Chunk* run) {
    std::size_t i = 0;
    for_each_record(groups.partitions.kind, run, [&](const Record& record) {
        const std::uint32_t owner = group_of(groups, record);
        groups.owners.data[i++] = owner;
        Group& group = groups.groups.data[owner];
        ++group.count;
        group.has_profiles |= record.packed == profile_mark;
    });
}

void place_elements(OrderGroups& groups, Chunk* run) {
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < groups.group_count; ++i) {
        groups.groups.data[i].end = end;
        end += groups.groups.data[i].count;
    }
    std::size_t i = 0;
    for_each_record(groups.partitions.kind, run, [&](const Record& record) {
        const std::uint32_t place = groups.groups.data[groups.owners.data[i++]].end++;
        const bool is_profile = record.packed == profile_mark;
        groups.elements.data[place] = {is_profile ? reinterpret_cast<std::int64_t>(&record) : record.at, record.packed,
                                       record_tie(groups.partitions.kind, record)};
    });
}

// Afterwards the groups and their elements lie side by side, in memory that is used again for the next run.
void group_run(OrderGroups& groups, Chunk* run) {
    std::size_t most = 0;
    for (const Chunk* chunk = run; chunk; chunk = chunk->next) most += chunk->used / sizeof(Record);
    groups.group_count = 0;
    reserve(groups, groups.owners, most);
    reserve(groups, groups.elements, most);
    place_groups(groups, std::bit_ceil(most / 8 + 16));
    count_elements(groups, run);
    place_elements(groups, run);
}

// ---- Partition by partition ----

// tail: the profile, or the tie, or nothing.
void add_to_split(OrderGroups& groups, const Record& head, const std::uint64_t* key_rest, Bytes tail) {
    const std::size_t key_size = rest_size(groups.partitions.kind, key_rest);
    Record* record = add_record(groups.partitions, head, sizeof(Record) + key_size + padded(tail.size()));
    auto* rest = reinterpret_cast<std::uint8_t*>(record->rest);
    std::memcpy(rest, key_rest, key_size);
    if (!tail.empty()) std::memcpy(rest + key_size, tail.data(), tail.size());
}

// Moves what a run has of a customer to the partition's parts. Many orders become one profile, so that a customer with
// more orders than memory holds gets shorter with each split.
void move_to_split(OrderGroups& groups, const Group& group) {
    const std::span<Order> elements = elements_of(groups, group);
    const Record& key = *group.first;
    if (elements.size() >= worth_folding || (group.has_profiles && elements.size() > 1)) {
        const Bytes folded = fold(groups, elements);
        add_to_split(groups, {static_cast<Instant>(folded.size()), profile_mark, key.word}, key.rest, folded);
        pfree(const_cast<std::uint8_t*>(folded.data()));
        return;
    }
    for (const Order& element : elements) {
        if (element.amount == profile_mark) {
            add_to_split(groups, {key.at, profile_mark, key.word}, key.rest,
                         record_profile(groups.partitions.kind, key));
        } else {
            add_to_split(groups, {element.at, element.amount, key.word}, key.rest,
                         {reinterpret_cast<const std::uint8_t*>(&element.tie), tie_size(element.amount)});
        }
    }
}

std::int64_t run_limit(const OrderGroups& groups) { return std::min(groups.partitions.limit / 2, max_run); }

void split(OrderGroups& groups, Partition& partition) {
    begin_split(groups.partitions);
    while (Chunk* run = take_run(groups.partitions, partition, run_limit(groups))) {
        group_run(groups, run);
        for (std::size_t i = 0; i < groups.group_count; ++i) {
            if (i % 1024 == 0) CHECK_FOR_INTERRUPTS();
            move_to_split(groups, groups.groups.data[i]);
        }
        free_run(groups.partitions, run);
    }
}

void count_partition(OrderGroups& groups, Partition& partition) {
    Chunk* run = take_run(groups.partitions, partition, PG_INT64_MAX);
    group_run(groups, run);
    for (std::size_t i = 0; i < groups.group_count; ++i) {
        if (i % 1024 == 0) CHECK_FOR_INTERRUPTS();
        add_result(groups, groups.groups.data[i]);
    }
    free_run(groups.partitions, run);
}

// Radix sort, a byte at a time from the last; a byte that all have in common costs nothing but the counting.
void sort_results(OrderGroups& groups) {
    const std::size_t count = groups.result_count;
    reserve(groups, groups.sorted, groups.results.room);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        CHECK_FOR_INTERRUPTS();
        std::size_t places[257] = {};
        const Result* results = groups.results.data;
        for (std::size_t i = 0; i < count; ++i) ++places[(results[i].order >> shift & 0xFF) + 1];
        if (places[(results[0].order >> shift & 0xFF) + 1] == count) continue;
        for (int i = 1; i < 256; ++i) places[i] += places[i - 1];
        for (std::size_t i = 0; i < count; ++i)
            groups.sorted.data[places[results[i].order >> shift & 0xFF]++] = results[i];
        std::swap(groups.results, groups.sorted);
    }
}

// The profiles of as many partitions as memory holds, sorted.
bool next_batch(OrderGroups& groups) {
    free_arena(groups);
    groups.result_count = 0;
    groups.next_result = 0;
    while (Partition* partition = next_partition(groups.partitions)) {
        if (partition_bytes(*partition) > run_limit(groups) && can_be_split(groups.partitions)) {
            split(groups, *partition);
            continue;
        }
        count_partition(groups, *partition);
        const auto bytes = static_cast<std::int64_t>(2 * groups.result_count * sizeof(Result)) + groups.arena.bytes;
        if (bytes > groups.partitions.limit / 2) break;
    }
    if (groups.result_count > 1 && groups.partitions.kind != KeyKind::text) sort_results(groups);
    return groups.result_count > 0;
}

}  // namespace

bool can_group(Oid key_type) {
    switch (key_type) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case UUIDOID:
        case TEXTOID:
        case VARCHAROID:
            return true;
        default:
            return false;
    }
}

OrderGroups* begin_groups(Oid key_type, const Zone& zone, std::int64_t memory_limit) {
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "clientele orders", ALLOCSET_START_SMALL_SIZES);
    auto* groups = static_cast<OrderGroups*>(MemoryContextAllocZero(memory, sizeof(OrderGroups)));
    groups->memory = memory;
    groups->key_type = key_type;
    groups->zone = &zone;
    const KeyKind kind = key_type == UUIDOID                             ? KeyKind::uuid
                         : key_type == TEXTOID || key_type == VARCHAROID ? KeyKind::text
                                                                         : KeyKind::integer;
    init_partitions(groups->partitions, memory, kind, memory_limit);
    return groups;
}

void add_order(OrderGroups& groups, Datum key, Instant at, const Scaled& amount, Tie tie) {
    const std::int64_t packed = pack_amount(amount, tie);
    switch (groups.partitions.kind) {
        case KeyKind::integer: {
            const auto word = static_cast<std::uint64_t>(integer_key(groups.key_type, key));
            add_order_record(groups, {at, packed, word}, 0, tie);
            break;
        }
        case KeyKind::uuid: {
            const unsigned char* bytes = DatumGetUUIDP(key)->data;
            const std::uint64_t low = big_endian(bytes + 8);
            const std::uint64_t word = uuid_word(big_endian(bytes), low);
            add_order_record(groups, {at, packed, word}, 8, tie)->rest[0] = low;
            break;
        }
        case KeyKind::text:
            add_text(groups, key, {at, packed, 0}, tie);
            break;
    }
}

bool next_group(OrderGroups& groups, Datum* key, Datum* profile) {
    CHECK_FOR_INTERRUPTS();
    if (!groups.finished) finish_input(groups.partitions);
    groups.finished = true;
    if (groups.next_result == groups.result_count && !next_batch(groups)) return false;
    const Result& result = groups.results.data[groups.next_result++];
    *key = result.key;
    *profile = PointerGetDatum(result.profile);
    return true;
}

void end_groups(OrderGroups* groups) {
    close_partitions(groups->partitions);
    MemoryContextDelete(groups->memory);
}

Datum profile_of_one(Instant at, const Scaled& amount, Tie tie, const Zone& zone) {
    Order order = {at, pack_amount(amount, tie), tie};
    const std::size_t room = encoded_bound(1);
    auto* result = static_cast<struct varlena*>(palloc(VARHDRSZ + room));
    const WritableBytes out(reinterpret_cast<std::uint8_t*>(VARDATA(result)), room);
    std::size_t size = 0;
    think([&] { size = encode(profile_of_packed({&order, 1}, zone), zone.name, out); });
    SET_VARSIZE(result, VARHDRSZ + size);
    return PointerGetDatum(result);
}

}  // namespace clientele
