// Tempo's autocompletion: names and values of tags.

#include <algorithm>
#include <array>
#include <set>

#include "api/parameters.h"
#include "api/responses.h"
#include "api/tempo.h"
#include "query/traceql/parser.h"
#include "query/traceql/tags.h"

namespace contextcore::api {

namespace {

constexpr std::string_view kIntrinsic = "intrinsic";
constexpr int64_t kCountMax = UINT32_MAX;

Error invalid(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

Result<traceql::TagsOptions> options_of(const Request& request) {
  traceql::TagsOptions options;
  CC_ASSIGN(options.range.start_ns, unix_seconds(request, "start", INT64_MIN));
  CC_ASSIGN(options.range.end_ns, unix_seconds(request, "end", INT64_MAX));
  options.query = request.param("q");
  CC_ASSIGN(const int64_t limit, integer_parameter(request, "limit", 0, 0, kCountMax));
  options.limit = static_cast<size_t>(limit);
  return options;
}

Result<std::string> scope_of(const Request& request) {
  static constexpr std::array<std::string_view, 7> kScopes = {
      "none", "span", "resource", "event", "link", "instrumentation", kIntrinsic};
  const std::string scope(request.param("scope"));
  if (scope.empty() || scope == "none") return std::string();
  if (std::find(kScopes.begin(), kScopes.end(), scope) == kScopes.end()) {
    return invalid("invalid scope: " + scope);
  }
  return scope;
}

void write_strings(std::string_view name, const std::vector<std::string>& strings,
                   JsonWriter& writer) {
  writer.key(name);
  writer.begin_array();
  for (const std::string& text : strings) writer.string(text);
  writer.end_array();
}

void write_metrics(JsonWriter& writer) {
  writer.key("metrics");
  writer.begin_object();
  writer.field("totalJobs", 1);
  writer.field("completedJobs", 1);
  writer.end_object();
}

// Names that Tempo's first tag search had before there was TraceQL.
Result<traceql::Attribute> legacy_field(const std::string& name) {
  const auto intrinsic = [](traceql::Intrinsic which) {
    traceql::Attribute attribute;
    attribute.intrinsic = which;
    return attribute;
  };
  if (name == "name") return intrinsic(traceql::Intrinsic::name);
  if (name == "root.name") return intrinsic(traceql::Intrinsic::root_name);
  if (name == "root.service.name") return intrinsic(traceql::Intrinsic::root_service);
  if (name == "status.code") return intrinsic(traceql::Intrinsic::status);
  if (const auto& words = traceql::intrinsic_tags();
      std::find(words.begin(), words.end(), name) != words.end()) {
    return traceql::parse_attribute(name);
  }
  traceql::Attribute attribute;
  attribute.name = name;
  return attribute;
}

Result<traceql::Attribute> field_of(const std::string& name, bool v2) {
  if (!v2) return legacy_field(name);
  Result<traceql::Attribute> field = traceql::parse_attribute(name);
  // Bare dotted attributes are for people; here a name has its scope, or a leading dot.
  const bool bare = field.ok() && field->intrinsic == traceql::Intrinsic::none &&
                    field->scope == traceql::Scope::none && !name.starts_with('.');
  if (field.ok() && !bare) return field;
  return invalid("please provide a valid tagName: " +
                 (field.ok()
                      ? "tag name is not valid intrinsic or scoped attribute: " + name
                      : "failed to parse identifier " + name + ": " + field.error().message));
}

}  // namespace

Result<Response> Tempo::tags(const Request& request, bool v2) const {
  CC_ASSIGN(traceql::TagsOptions options, options_of(request));
  CC_ASSIGN(const std::string scope, scope_of(request));
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  options.checkpoint = checkpoint();
  std::vector<traceql::ScopeTags> scopes;
  if (scope != kIntrinsic) {
    CC_ASSIGN(scopes, traceql::tag_names(*read.source, options));
  }
  std::erase_if(scopes, [&](const auto& one) { return !scope.empty() && one.scope != scope; });
  // The first version names intrinsics only where they are asked for.
  if (scope == kIntrinsic || (v2 && scope.empty())) {
    scopes.push_back({std::string(kIntrinsic), traceql::intrinsic_tags()});
  }
  const size_t limit = options.limit == 0 ? SIZE_MAX : options.limit;
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (v2) {
    writer.key("scopes");
    writer.begin_array();
    for (traceql::ScopeTags& one : scopes) {
      if (one.tags.size() > limit) one.tags.resize(limit);
      writer.begin_object();
      writer.field("name", one.scope);
      write_strings("tags", one.tags, writer);
      writer.end_object();
    }
    writer.end_array();
  } else {
    std::set<std::string> names;
    for (const traceql::ScopeTags& one : scopes) names.insert(one.tags.begin(), one.tags.end());
    std::vector<std::string> shown(names.begin(), names.end());
    if (shown.size() > limit) shown.resize(limit);
    write_strings("tagNames", shown, writer);
  }
  write_metrics(writer);
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

Result<Response> Tempo::tag_values(const Request& request, const std::string& name, bool v2) const {
  CC_ASSIGN(traceql::TagsOptions options, options_of(request));
  CC_ASSIGN(const traceql::Attribute field, field_of(name, v2));
  options.checkpoint = checkpoint();
  CC_ASSIGN(store::Store::Read read, options_.store->read(request.header(kTenantHeader)));
  CC_ASSIGN(const std::vector<traceql::TagValue> values,
            traceql::tag_values(*read.source, field, options));
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  if (v2) {
    writer.key("tagValues");
    writer.begin_array();
    for (const traceql::TagValue& value : values) {
      writer.begin_object();
      writer.field("type", value.type);
      writer.field("value", value.value);
      writer.end_object();
    }
    writer.end_array();
  } else {
    std::set<std::string> texts;
    for (const traceql::TagValue& value : values) texts.insert(value.value);
    write_strings("tagValues", {texts.begin(), texts.end()}, writer);
  }
  write_metrics(writer);
  writer.end_object();
  return raw_json_response(200, std::move(out));
}

}  // namespace contextcore::api
