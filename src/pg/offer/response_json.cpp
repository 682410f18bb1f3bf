#include "pg/offer/response_json.hpp"

#include "core/offer/offer.hpp"
#include "pg/kit/boundary.hpp"

namespace clientele {
namespace {

constexpr const char* accepted_response = "response is what clientele.fit_response() found, or null.";
constexpr std::uint32_t most_segments = 100;
constexpr auto own_parameters = static_cast<std::uint32_t>(parameter::first_d);

BookSource object_of(const BookSource& source, const char* key) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr || value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data)) {
        refuse(source, key, value, accepted_response);
    }
    return {value->val.binary.data};
}

double number(const BookSource& source, const char* key) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr) refuse(source, key, nullptr, "It is a finite number.");
    return double_in(source, key, value);
}

double number_or_zero(const BookSource& source, const char* key) {
    return lookup(source, key) == nullptr ? 0 : number(source, key);
}

bool flag(const BookSource& source, const char* key) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr) return false;
    if (value->type != jbvBool) refuse(source, key, value, "It is true or false.");
    return value->val.boolean;
}

// Flat memory of the current context.
struct Numbers {
    double* values;
    std::uint32_t count;
    std::span<const double> all() const { return {values, count}; }
};

Numbers numbers_in(const BookSource& source, const char* key, std::uint32_t least, std::uint32_t most) {
    const JsonbValue* value = lookup(source, key);
    JsonbContainer* list = list_in(source, key, value, least, most, accepted_response);
    Numbers numbers{nullptr, JsonContainerSize(list)};
    numbers.values = static_cast<double*>(palloc(Max(numbers.count, 1U) * sizeof(double)));
    for (std::uint32_t i = 0; i < numbers.count; ++i) {
        numbers.values[i] = double_in(source, key, getIthJsonbValueFromContainer(list, i));
    }
    return numbers;
}

struct Names {
    std::string_view* values = nullptr;
    std::uint32_t count = 0;
    bool has(std::string_view name) const { return std::find(values, values + count, name) != values + count; }
};

Names names_in(const BookSource& source, const char* key, std::uint32_t least, std::uint32_t most) {
    const JsonbValue* value = lookup(source, key);
    if (value == nullptr && least == 0) return {};
    JsonbContainer* list = list_in(source, key, value, least, most, accepted_response);
    Names names{nullptr, JsonContainerSize(list)};
    names.values = static_cast<std::string_view*>(palloc(Max(names.count, 1U) * sizeof(std::string_view)));
    for (std::uint32_t i = 0; i < names.count; ++i) {
        const JsonbValue* name = getIthJsonbValueFromContainer(list, i);
        if (name->type != jbvString) refuse(source, key, value, "It is an array of names.");
        new (&names.values[i]) std::string_view(text_in(name));
    }
    return names;
}

// In the order of parameter::; the season is not the one of when it was fitted.
Numbers parameters_in(const BookSource& response, std::uint32_t segments) {
    constexpr std::string_view known[] = {"a", "lb", "c", "delta", "ltau", "lomega", "lA", "lq", "d"};
    const BookSource source = object_of(response, "parameters");
    check_keys(source, known);
    Numbers parameters{static_cast<double*>(palloc((own_parameters + segments) * sizeof(double))),
                       own_parameters + segments};
    for (std::size_t i = 0; i < own_parameters; ++i) parameters.values[i] = number(source, known[i].data());
    parameters.values[parameter::delta] = 0;
    const Numbers own = numbers_in(source, "d", segments, segments);
    for (std::uint32_t i = 0; i < segments; ++i) parameters.values[own_parameters + i] = own.values[i];
    return parameters;
}

TriedRange tried_in(const BookSource& source, const char* key, std::int64_t from, std::int64_t to) {
    constexpr const char* accepted = "It is the least and the greatest that was tried.";
    const JsonbValue* value = lookup(source, key);
    JsonbContainer* list = list_in(source, key, value, 2, 2, accepted);
    const Range range{rate_unit, from, to, accepted};
    const std::int64_t least = whole_in(source, key, getIthJsonbValueFromContainer(list, 0), range);
    const std::int64_t greatest = whole_in(source, key, getIthJsonbValueFromContainer(list, 1), range);
    if (least > greatest) refuse(source, key, value, accepted);
    return {least, greatest};
}

Economics economics_in(const BookSource& source) {
    Economics economics;
    economics.displaced = number_or_zero(source, "displaced");
    economics.extra_orders = number_or_zero(source, "extra_orders");
    economics.extra_orders_error = number_or_zero(source, "extra_orders_error");
    return economics;
}

OrderRate order_rate_in(const BookSource& response) {
    constexpr std::string_view known[] = {"shape", "mean", "days"};
    const BookSource source = object_of(response, "order_rate");
    check_keys(source, known);
    return {number(source, "shape"), number(source, "mean"), number(source, "days")};
}

double horizon_in(const BookSource& source) {
    const double days = number(source, "horizon_days");
    if (!(days > 0 && days <= 36'500)) {
        refuse(source, "horizon_days", lookup(source, "horizon_days"), "It is above 0 and at most 36500.");
    }
    return days;
}

}  // namespace

const ResponseModel* response_model_in(const BookSource& book) {
    constexpr std::string_view known[] = {
        "parameters",  "segments",   "covariance",         "q_known",   "stretch",
        "reward_rate", "order_rate", "horizon_days",       "known_to",  "extra_orders",
        "displaced",   "outdated",   "extra_orders_error", "sensitive", "converged"};
    if (lookup(book, "response") == nullptr) return nullptr;
    const BookSource source = object_of(book, "response");
    check_keys(source, known);
    const Names segments = names_in(source, "segments", 0, most_segments);
    const Names sensitive = names_in(source, "sensitive", 0, PG_UINT32_MAX);
    const Numbers parameters = parameters_in(source, segments.count);
    const std::uint32_t cells = parameters.count * (parameters.count + 1) / 2;
    const Numbers covariance = numbers_in(source, "covariance", cells, cells);
    const bool q_known = flag(source, "q_known"), outdated = flag(source, "outdated");
    const Economics economics = economics_in(source);
    const TriedRange stretch = tried_in(source, "stretch", rate_unit + 1, max_stretch);
    const TriedRange reward_rate = tried_in(source, "reward_rate", 1, rate_unit);
    const OrderRate orders = order_rate_in(source);
    const double horizon_days = horizon_in(source);
    if (lookup(source, "known_to") == nullptr) refuse(source, "known_to", nullptr, "It is an instant.");
    const Instant known_to = instant_in(source, "known_to", 0);

    auto* callback = static_cast<MemoryContextCallback*>(palloc0(sizeof(MemoryContextCallback)));
    ResponseModel* model = nullptr;
    think([&] {
        check(economics);
        check(orders);
        const ResponseFit fit = response_fit(parameters.all(), covariance.all(), q_known);
        model = new ResponseModel{
            ResponseBelief(fit, economics), {}, stretch, reward_rate, orders, horizon_days, known_to, outdated};
        // Whose segment is none of theirs has the store's response.
        for (std::uint32_t i = 0; i < segments.count; ++i) {
            model->segments.emplace_back(sensitive.has(segments.values[i]) ? std::string_view{} : segments.values[i]);
        }
        for (std::uint32_t i = 0; i < sensitive.count; ++i) model->sensitive.emplace_back(sensitive.values[i]);
    });
    callback->func = [](void* made) { delete static_cast<ResponseModel*>(made); };
    callback->arg = model;
    MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
    return model;
}

}  // namespace clientele
