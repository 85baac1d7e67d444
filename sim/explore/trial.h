// One run of a document.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/run/run.h"
#include "sim/scenario/document.h"

namespace postproof::sim {

// What an exploration looks at: failures of invariants, by their names ("nothing acknowledged is lost"). What a dialogue
// or an expectation wants is for the course that its author had in mind, and no fault is part of that.
std::vector<std::string> broken_invariants(const Judgement& judgement);

// Loads and runs a scenario's text, its file being called `name`; the files that it names are read. None: it is no valid
// scenario.
std::optional<RunResult> try_text(const std::string& name, const std::string& text);

// Takes out of a scenario what speaks of the undisturbed course (expectations, its limit), and what makes several runs of
// it: one is drawn. Its seed becomes `seed`. `life`: that mail may have by configurations that it names.
void prepare(document::Document& document, std::uint64_t seed, Duration life = {});

}  // namespace postproof::sim
