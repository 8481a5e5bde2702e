#include "query/logql/pipeline.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "query/logql/extract.h"
#include "query/logql/pattern.h"
#include "query/logql/print.h"
#include "query/logql/template.h"

namespace contextcore::logql {
namespace {

using StagePtr = std::shared_ptr<const CompiledStage>;

// A stage as a function; most need no more.
template <typename Fn>
class FunctionStage : public CompiledStage {
 public:
  explicit FunctionStage(Fn fn) : fn_(std::move(fn)) {}
  bool run(EntryLabels& labels, std::string_view& line, std::string& buffer) const override {
    return fn_(labels, line, buffer);
  }

 private:
  Fn fn_;
};

template <typename Fn>
StagePtr make_stage(Fn fn) {
  return std::make_shared<const FunctionStage<Fn>>(std::move(fn));
}

using Line = std::string_view;

Result<StagePtr> compile_stage(const LineFilter& source) {
  CC_ASSIGN(CompiledLineFilter filter, CompiledLineFilter::compile(source));
  return make_stage([filter = std::move(filter)](EntryLabels&, Line& line, std::string&) {
    return filter.matches(line);
  });
}

Result<StagePtr> compile_stage(const LabelFilter& source) {
  CC_ASSIGN(CompiledLabelFilter filter, CompiledLabelFilter::compile(source));
  return make_stage([filter = std::move(filter)](EntryLabels& labels, Line&, std::string&) {
    return filter.matches(labels);
  });
}

Result<StagePtr> compile_stage(const JsonStage& source) {
  std::vector<JsonTarget> targets;
  for (const Extraction& extraction : source.extractions) {
    CC_ASSIGN(JsonPath path, parse_json_path(extraction.path));
    targets.push_back({extraction.label, std::move(path)});
  }
  return make_stage([targets = std::move(targets)](EntryLabels& labels, Line& line, std::string&) {
    if (targets.empty()) {
      extract_json(line, labels);
    } else {
      extract_json_paths(line, targets, labels);
    }
    return true;
  });
}

Result<StagePtr> compile_stage(const LogfmtStage& source) {
  return make_stage([source](EntryLabels& labels, Line& line, std::string&) {
    extract_logfmt(line, source, labels);
    return true;
  });
}

Result<StagePtr> compile_stage(const RegexpStage& source) {
  CC_ASSIGN(query::Regex regex,
            query::Regex::compile(source.regex, {.anchored = false, .dot_is_newline = false}));
  return make_stage([regex = std::move(regex)](EntryLabels& labels, Line& line, std::string&) {
    const re2::RE2& re = regex.re2();
    const int count = re.NumberOfCapturingGroups() + 1;
    std::vector<re2::StringPiece> groups(static_cast<size_t>(count));
    const re2::StringPiece text(line.data(), line.size());
    if (!re.Match(text, 0, line.size(), RE2::UNANCHORED, groups.data(), count)) return true;
    for (const auto& [index, name] : re.CapturingGroupNames()) {
      const re2::StringPiece& group = groups[static_cast<size_t>(index)];
      labels.extract(name, std::string_view(group.data(), group.size()));
    }
    return true;
  });
}

Result<StagePtr> compile_stage(const PatternStage& source) {
  CC_ASSIGN(auto parts, parse_capture_pattern(source.pattern));
  return make_stage([parts = std::move(parts)](EntryLabels& labels, Line& line, std::string&) {
    for (const auto& [name, value] : captures_of(line, parts)) labels.extract(name, value);
    return true;
  });
}

Result<StagePtr> compile_stage(const UnpackStage&) {
  return make_stage([](EntryLabels& labels, Line& line, std::string& buffer) {
    std::string entry;
    if (unpack(line, labels, entry)) {
      buffer = std::move(entry);
      line = buffer;
    }
    return true;
  });
}

Result<StagePtr> compile_stage(const DecolorizeStage&) {
  return make_stage([](EntryLabels&, Line& line, std::string& buffer) {
    if (line.find('\x1b') == std::string_view::npos) return true;
    std::string plain = decolorize(line);
    buffer = std::move(plain);
    line = buffer;
    return true;
  });
}

Result<StagePtr> compile_stage(const LineFormatStage& source) {
  CC_ASSIGN(Template text, Template::compile(source.text));
  return make_stage([text = std::move(text)](EntryLabels& labels, Line& line, std::string& buffer) {
    Result<std::string> rendered = text.render(labels, line);
    if (!rendered.ok()) {
      labels.set_error("TemplateFormatErr", rendered.error().message);
      return true;
    }
    buffer = *std::move(rendered);
    line = buffer;
    return true;
  });
}

Result<StagePtr> compile_stage(const LabelFormatStage& source) {
  std::vector<std::pair<LabelFormatStage::Assignment, Template>> assignments;
  for (const auto& assignment : source.assignments) {
    Template text;
    if (!assignment.rename) {
      CC_ASSIGN(text, Template::compile(assignment.value));
    }
    assignments.emplace_back(assignment, std::move(text));
  }
  return make_stage(
      [assignments = std::move(assignments)](EntryLabels& labels, Line& line, std::string&) {
        for (const auto& [assignment, text] : assignments) {
          EntryLabels::Found found;
          if (!assignment.rename) {
            Result<std::string> rendered = text.render(labels, line);
            if (!rendered.ok()) {
              labels.set_error("TemplateFormatErr", rendered.error().message);
              return true;
            }
            labels.set(Category::parsed, assignment.name, *rendered);
          } else if (labels.find(assignment.value, found) && assignment.value != assignment.name) {
            const std::string value(found.value);
            const Category category = found.category;
            labels.erase(assignment.name);
            labels.set(category, assignment.name, value);
            labels.erase(assignment.value);
          }
        }
        return true;
      });
}

using Choices = std::vector<std::pair<LabelChoice, std::optional<CompiledMatcher>>>;

Result<Choices> compile_choices(const std::vector<LabelChoice>& labels) {
  Choices out;
  for (const LabelChoice& choice : labels) {
    std::optional<CompiledMatcher> matcher;
    if (choice.matcher) {
      CC_ASSIGN(matcher, CompiledMatcher::compile(*choice.matcher));
    }
    out.emplace_back(choice, std::move(matcher));
  }
  return out;
}

Result<StagePtr> compile_stage(const DropStage& source) {
  CC_ASSIGN(Choices choices, compile_choices(source.labels));
  return make_stage([choices = std::move(choices)](EntryLabels& labels, Line&, std::string&) {
    for (const auto& [choice, matcher] : choices) {
      EntryLabels::Found found;
      if (!labels.find(choice.name, found)) continue;
      if (!matcher || matcher->matches(found.value)) labels.erase(choice.name);
    }
    return true;
  });
}

Result<StagePtr> compile_stage(const KeepStage& source) {
  CC_ASSIGN(Choices choices, compile_choices(source.labels));
  return make_stage([choices = std::move(choices)](EntryLabels& labels, Line&, std::string&) {
    std::vector<std::string> others;
    labels.for_each([&](std::string_view name, std::string_view value) {
      const bool kept = std::any_of(choices.begin(), choices.end(), [&](const auto& choice) {
        return choice.first.name == name && (!choice.second || choice.second->matches(value));
      });
      if (!kept) others.emplace_back(name);
    });
    for (const std::string& name : others) labels.erase(name);
    return true;
  });
}

}  // namespace

Result<Pipeline> Pipeline::compile(const LogSelector& selector) {
  Pipeline out;
  for (const Matcher& matcher : selector.matchers) {
    CC_ASSIGN(CompiledMatcher compiled, CompiledMatcher::compile(matcher));
    out.matchers_.push_back(std::move(compiled));
  }
  bool original_line = true;
  for (const Stage& stage : selector.stages) {
    const auto* filter = std::get_if<LineFilter>(&stage);
    if (original_line && filter != nullptr && filter->op == LineOp::contains &&
        filter->operands.size() == 1 && !filter->operands[0].ip &&
        !filter->operands[0].text.empty()) {
      out.line_contains_.push_back(filter->operands[0].text);
    }
    original_line = original_line && !std::holds_alternative<LineFormatStage>(stage) &&
                    !std::holds_alternative<UnpackStage>(stage) &&
                    !std::holds_alternative<DecolorizeStage>(stage);
    auto compiled = std::visit([](const auto& node) { return compile_stage(node); }, stage);
    if (!compiled.ok()) {
      Error error = std::move(compiled).error();
      error.message = "stage '" + print(stage) + "' : " + error.message;
      if (error.code == Code::invalid_argument) error.message.insert(0, "parse error : ");
      return error;
    }
    out.stages_.push_back(std::move(*compiled));
  }
  return out;
}

void Pipeline::push_down(store::LogFetchRequest& request) const {
  request.stream_filter = [matchers = matchers_](const LabelPairs& stream) {
    return matches(matchers, stream);
  };
  request.line_contains = line_contains_;
}

bool Pipeline::selects(const LabelPairs& stream) const { return matches(matchers_, stream); }

bool Pipeline::process(EntryLabels& labels, std::string_view& line, std::string& buffer) const {
  return std::all_of(stages_.begin(), stages_.end(),
                     [&](const auto& stage) { return stage->run(labels, line, buffer); });
}

}  // namespace contextcore::logql
