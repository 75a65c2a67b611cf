// SPDX-License-Identifier: MIT
/// \file
/// The best Lagrange multipliers: a walk from vertex to vertex of a concave, piecewise linear function of few variables.
///
///   D(lambda) = constant + sum_g min_k (value_gk + lambda . cost_gk) - lambda . limits,   lambda >= lowest
///
/// Every D(lambda) bounds the groups' best sum of values within the limits from below; the best one is the bound of the
/// linear relaxation. There are as many variables as budgets, however many groups there are: at a vertex that many
/// constraints are tight, a multiplier at its lowest or two choices of a group that are equally good. A step releases one of
/// them and follows the edge over every break of D to the highest point (a dual simplex method with long steps).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace bitwright {

/// Group g's choices are [first[g], first[g + 1]); `costs` holds each choice's cost in every budget.
struct multiplier_problem {
  std::size_t budgets = 0;
  std::vector<std::size_t> first = {0};
  std::vector<double> values = {}, costs = {};
  std::vector<double> limits = {}, lowest = {};
  double constant = 0;

  std::size_t groups() const { return first.size() - 1; }
  std::span<const double> cost(std::size_t choice) const { return std::span(costs).subspan(choice * budgets, budgets); }
};

/// Sum of products.
inline double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// D(lambda) as computed, and how far off it may be.
struct multiplier_bound {
  double value = 0;
  /// From rounding. Each of the n terms of the sum, and the sum itself, loses at most n + M + 4 roundings of 2^-53 of what
  /// is added up in absolute value; the factor 4 leaves room for inputs that were rounded once.
  double error = 0;
};

/// D at the given multipliers. `terms` is how many terms `constant` was summed from.
inline multiplier_bound evaluate(const multiplier_problem& problem, std::span<const double> multipliers,
                                 std::size_t terms) {
  double sum = problem.constant, magnitude = std::abs(problem.constant);
  for (std::size_t g = 0; g < problem.groups(); ++g) {
    double least = std::numeric_limits<double>::infinity(), largest = 0;
    for (std::size_t choice = problem.first[g]; choice < problem.first[g + 1]; ++choice) {
      double value = problem.values[choice], absolute = std::abs(value);
      for (std::size_t m = 0; m < problem.budgets; ++m) {
        const double part = multipliers[m] * problem.costs[choice * problem.budgets + m];
        value += part;
        absolute += std::abs(part);
      }
      least = std::min(least, value);
      largest = std::max(largest, absolute);
    }
    sum += least;
    magnitude += largest;
  }
  for (std::size_t m = 0; m < problem.budgets; ++m) {
    sum -= multipliers[m] * problem.limits[m];
    magnitude += std::abs(multipliers[m] * problem.limits[m]);
  }
  const auto roundings = static_cast<double>(terms + problem.groups() + problem.budgets + 4);
  return {sum, 4 * roundings * 0x1p-53 * magnitude};
}

/// What holds with equality at a vertex: normal . lambda = right, rows of multiplier_vertex.
struct tight_constraint {
  enum class kind {
    lowest,   ///< Multiplier `index` is at its lowest.
    equal,    ///< Group `index` is indifferent between its best choice and `choice`.
    released  ///< Neither any more: a constraint that has to leave.
  };
  kind what = kind::lowest;
  std::size_t index = 0;
  std::size_t choice = 0;
};

/// A vertex: its multipliers, one best choice of every group there, and the constraints that define it.
struct multiplier_vertex {
  std::vector<double> multipliers = {};
  std::vector<std::size_t> best = {};
  std::vector<tight_constraint> tight = {};  ///< One per budget.
  std::vector<double> normals = {}, rights = {};
  /// Where D is highest, of a tight constraint of equality: how much of the group takes `choice` rather than `best` in the
  /// linear relaxation.
  std::vector<double> weights = {};

  std::span<double> normal(std::size_t i) { return std::span(normals).subspan(i * tight.size(), tight.size()); }
};

/// Where every multiplier is at its lowest.
inline multiplier_vertex lowest_vertex(const multiplier_problem& problem) {
  const std::size_t budgets = problem.budgets;
  multiplier_vertex vertex;
  vertex.multipliers = vertex.rights = problem.lowest;
  vertex.weights.resize(budgets);
  vertex.normals.resize(budgets * budgets);
  for (std::size_t m = 0; m < budgets; ++m) {
    vertex.tight.push_back({tight_constraint::kind::lowest, m, 0});
    vertex.normals[m * budgets + m] = 1;
  }
  for (std::size_t g = 0; g < problem.groups(); ++g) {
    const auto value = [&](std::size_t choice) {
      return problem.values[choice] + dot(problem.cost(choice), vertex.multipliers);
    };
    std::size_t best = problem.first[g];
    for (std::size_t choice = best + 1; choice < problem.first[g + 1]; ++choice)
      if (value(choice) < value(best)) best = choice;
    vertex.best.push_back(best);
  }
  return vertex;
}

/// Walks uphill. An object keeps its buffers from walk to walk.
class multiplier_walk {
 public:
  enum class end {
    highest,  ///< No direction leads up.
    enough,   ///< D is as high as was asked for, or as high as one likes.
    stalled   ///< Too many steps of no length or numerical trouble: where it ended is a vertex like any other.
  };

  /// Moves `vertex` uphill until D is highest or above `enough`. Finite: a walk that does not rise picks by least index
  /// (Bland 1977), and after 200 such steps it stalls.
  end climb(const multiplier_problem& problem, multiplier_vertex& vertex, double enough) {
    problem_ = &problem;
    vertex_ = &vertex;
    std::size_t flat_steps = 0;
    for (std::size_t steps = 0; steps < 2000 && flat_steps < 200; ++steps) {
      if (!invert_normals()) return end::stalled;
      move_to_vertex();
      if (height_ > enough) return end::enough;
      if (exchange_overfull_group()) continue;
      const std::size_t leaving = leaving_constraint(flat_steps > 20);
      if (leaving == none) return end::highest;
      const double length = follow_edge(leaving);
      if (length == std::numeric_limits<double>::infinity()) {
        go_beyond(enough);
        return end::enough;
      }
      flat_steps = length * slope_ > 1e-14 * std::abs(height_) ? 0 : flat_steps + 1;
    }
    return end::stalled;
  }

 private:
  using kind = tight_constraint::kind;
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// Where along the edge a group's best choice changes, and by how much that lowers the slope.
  struct breakpoint {
    double length, drop;
    std::size_t group, choice;
  };

  /// The heap's top is the nearest; of equals the group of least index.
  static constexpr auto farther = [](const breakpoint& a, const breakpoint& b) {
    return std::pair(a.length, a.group) > std::pair(b.length, b.group);
  };

  std::size_t budgets() const { return problem_->budgets; }

  /// inverse_ = normals^-1 by elimination with row exchanges. False where the normals are dependent.
  bool invert_normals() {
    const std::size_t n = budgets();
    matrix_ = vertex_->normals;
    inverse_.assign(n * n, 0);
    for (std::size_t i = 0; i < n; ++i) inverse_[i * n + i] = 1;
    for (std::size_t column = 0; column < n; ++column) {
      std::size_t pivot = column;
      for (std::size_t row = column + 1; row < n; ++row)
        if (std::abs(matrix_[row * n + column]) > std::abs(matrix_[pivot * n + column])) pivot = row;
      if (!(std::abs(matrix_[pivot * n + column]) > 1e-300)) return false;
      for (std::size_t k = 0; k < n; ++k) {
        std::swap(matrix_[pivot * n + k], matrix_[column * n + k]);
        std::swap(inverse_[pivot * n + k], inverse_[column * n + k]);
      }
      const double scale = 1 / matrix_[column * n + column];
      for (std::size_t k = 0; k < n; ++k) {
        matrix_[column * n + k] *= scale;
        inverse_[column * n + k] *= scale;
      }
      for (std::size_t row = 0; row < n; ++row) {
        const double factor = matrix_[row * n + column];
        if (row == column || factor == 0) continue;
        for (std::size_t k = 0; k < n; ++k) {
          matrix_[row * n + k] -= factor * matrix_[column * n + k];
          inverse_[row * n + k] -= factor * inverse_[column * n + k];
        }
      }
    }
    return true;
  }

  /// The multipliers where the tight constraints meet, D and its slope in every multiplier there, and the weights that
  /// make the slope zero: sum_i weight_i normal_i = -gradient.
  void move_to_vertex() {
    const std::size_t n = budgets();
    for (std::size_t m = 0; m < n; ++m)
      vertex_->multipliers[m] =
          std::max(problem_->lowest[m], dot(std::span(inverse_).subspan(m * n, n), vertex_->rights));
    gradient_.assign(n, 0);
    height_ = problem_->constant;
    for (const std::size_t choice : vertex_->best) {
      height_ += problem_->values[choice];
      for (std::size_t m = 0; m < n; ++m) gradient_[m] += problem_->costs[choice * n + m];
    }
    for (std::size_t m = 0; m < n; ++m) gradient_[m] -= problem_->limits[m];
    height_ += dot(gradient_, vertex_->multipliers);
    for (std::size_t i = 0; i < n; ++i) {
      double weight = 0;
      for (std::size_t m = 0; m < n; ++m) weight -= gradient_[m] * inverse_[m * n + i];
      vertex_->weights[i] = weight;
    }
  }

  /// Where the weights of a group's other choices add up to more than 1, so that its best has a negative weight: lets the
  /// heaviest be called the best instead. Its former best is then the choice with the negative weight.
  bool exchange_overfull_group() {
    std::vector<tight_constraint>& tight = vertex_->tight;
    for (std::size_t i = 0; i < tight.size(); ++i) {
      if (tight[i].what != kind::equal) continue;
      double sum = 0;
      bool heaviest = true;
      for (std::size_t j = 0; j < tight.size(); ++j) {
        if (tight[j].what != kind::equal || tight[j].index != tight[i].index) continue;
        sum += vertex_->weights[j];
        heaviest = heaviest && vertex_->weights[j] <= vertex_->weights[i];
      }
      if (!(sum > 1 + 1e-9 && heaviest)) continue;
      std::swap(vertex_->best[tight[i].index], tight[i].choice);
      for (std::size_t j = 0; j < tight.size(); ++j)
        if (tight[j].what == kind::equal && tight[j].index == tight[i].index) set_equality(j);
      return true;
    }
    return false;
  }

  /// normal = cost(choice) - cost(best), right = value(best) - value(choice).
  void set_equality(std::size_t i) {
    const std::size_t choice = vertex_->tight[i].choice, best = vertex_->best[vertex_->tight[i].index];
    for (std::size_t m = 0; m < budgets(); ++m)
      vertex_->normal(i)[m] = problem_->costs[choice * budgets() + m] - problem_->costs[best * budgets() + m];
    vertex_->rights[i] = problem_->values[best] - problem_->values[choice];
  }

  /// The constraint whose release leads up most steeply, or the first that leads up; none where D is highest.
  std::size_t leaving_constraint(bool first) const {
    std::size_t leaving = none;
    double steepest = 0;
    for (std::size_t i = 0; i < vertex_->tight.size(); ++i) {
      const double weight = vertex_->weights[i];
      double length = 0;
      for (std::size_t m = 0; m < budgets(); ++m) length += std::abs(inverse_[m * budgets() + i]);
      const kind what = vertex_->tight[i].what;
      const double slope = what == kind::released ? std::abs(weight) : -weight;
      if (!(slope > (what == kind::equal ? 1e-9 : 1e-12)) || !(slope > steepest * length)) continue;
      leaving = i;
      steepest = slope / length;
      if (first) break;
    }
    return leaving;
  }

  /// The nearest change of group g's best choice beyond `from`; one of zero drop where there is none.
  breakpoint next_break(std::size_t g, double from) const {
    const std::size_t best = vertex_->best[g];
    const auto [value, slope] = along_edge(best);
    breakpoint next{std::numeric_limits<double>::infinity(), 0, g, best};
    for (std::size_t choice = problem_->first[g]; choice < problem_->first[g + 1]; ++choice) {
      const auto [other_value, other_slope] = along_edge(choice);
      const double drop = slope - other_slope;
      if (!(drop > least_drop_)) continue;
      const double length = std::max(from, (other_value - value) / drop);
      // Of choices that take over at the same place the steepest descent is right: the others never are the best.
      if (length < next.length || (length == next.length && drop > next.drop)) next = {length, drop, g, choice};
    }
    return next;
  }

  /// A choice's term of D at the vertex, and its slope along the edge.
  std::pair<double, double> along_edge(std::size_t choice) const {
    double value = problem_->values[choice], slope = 0;
    const double* const cost = problem_->costs.data() + choice * budgets();
    for (std::size_t m = 0; m < budgets(); ++m) {
      value += cost[m] * vertex_->multipliers[m];
      slope += cost[m] * direction_[m];
    }
    return {value, slope};
  }

  void set_direction(std::size_t leaving) {
    const double sign = vertex_->tight[leaving].what == kind::released && vertex_->weights[leaving] > 0 ? -1 : 1;
    direction_.resize(budgets());
    for (std::size_t m = 0; m < budgets(); ++m) direction_[m] = sign * inverse_[m * budgets() + leaving];
    slope_ = std::abs(vertex_->weights[leaving]);
    // A tight multiplier stays where it is, exactly.
    for (std::size_t i = 0; i < budgets(); ++i)
      if (i != leaving && vertex_->tight[i].what == kind::lowest) direction_[vertex_->tight[i].index] = 0;
    double reach = 0;
    for (const double component : direction_) reach += std::abs(component);
    least_drop_ = 1e-13 * reach;  // Costs are scaled to at most 1.
  }

  /// The multiplier that first comes down to its lowest, and how far away that is.
  std::pair<std::size_t, double> nearest_wall() const {
    std::pair<std::size_t, double> wall{none, std::numeric_limits<double>::infinity()};
    for (std::size_t m = 0; m < budgets(); ++m) {
      if (!(direction_[m] < 0)) continue;
      const double length = (vertex_->multipliers[m] - problem_->lowest[m]) / -direction_[m];
      if (length < wall.second) wall = {m, length};
    }
    return wall;
  }

  /// A change of best choice in a group that holds another tight constraint breaks that one: the edge ends there.
  bool holds_tight_constraint(std::size_t g, std::size_t leaving) const {
    for (std::size_t i = 0; i < budgets(); ++i)
      if (i != leaving && vertex_->tight[i].what == kind::equal && vertex_->tight[i].index == g) return true;
    return false;
  }

  bool is_tight_choice(const breakpoint& next, std::size_t leaving) const {
    for (std::size_t i = 0; i < budgets(); ++i)
      if (i != leaving && vertex_->tight[i].what == kind::equal && vertex_->tight[i].choice == next.choice) return true;
    return false;
  }

  /// Releases a constraint and goes to the highest point along the edge, where another becomes tight in its place. Returns
  /// how far that is: infinitely where D rises without end.
  double follow_edge(std::size_t leaving) {
    set_direction(leaving);
    heap_.clear();
    for (std::size_t g = 0; g < problem_->groups(); ++g)
      if (const breakpoint next = next_break(g, 0); next.drop > 0 && !is_tight_choice(next, leaving))
        heap_.push_back(next);
    std::ranges::make_heap(heap_, farther);
    const auto [wall, wall_length] = nearest_wall();
    double slope = slope_;
    while (!heap_.empty() && heap_.front().length <= wall_length) {
      std::ranges::pop_heap(heap_, farther);
      const breakpoint next = heap_.back();
      heap_.pop_back();
      slope -= next.drop;
      if (slope <= 0 || holds_tight_constraint(next.group, leaving)) {
        vertex_->tight[leaving] = {kind::equal, next.group, next.choice};
        set_equality(leaving);
        return next.length;
      }
      vertex_->best[next.group] = next.choice;
      if (const breakpoint after = next_break(next.group, next.length); after.drop > 0) {
        heap_.push_back(after);
        std::ranges::push_heap(heap_, farther);
      }
    }
    if (wall == none) return wall_length;
    vertex_->tight[leaving] = {kind::lowest, wall, 0};
    std::ranges::fill(vertex_->normal(leaving), 0);
    vertex_->normal(leaving)[wall] = 1;
    vertex_->rights[leaving] = problem_->lowest[wall];
    return wall_length;
  }

  /// Along an edge without end: to where D is twice as high above the vertex as asked for.
  void go_beyond(double enough) {
    const double length = 2 * (std::max(enough - height_, 0.0) + std::abs(height_) + 1) / last_slope();
    for (std::size_t m = 0; m < budgets(); ++m) vertex_->multipliers[m] += length * direction_[m];
  }

  /// The slope of D far along the edge.
  double last_slope() const {
    double slope = 0;
    for (std::size_t m = 0; m < budgets(); ++m) slope -= problem_->limits[m] * direction_[m];
    for (const std::size_t choice : vertex_->best) slope += along_edge(choice).second;
    return std::max(slope, 1e-12);
  }

  const multiplier_problem* problem_ = nullptr;
  multiplier_vertex* vertex_ = nullptr;
  std::vector<double> matrix_, inverse_, gradient_, direction_;
  std::vector<breakpoint> heap_;
  double height_ = 0, slope_ = 0, least_drop_ = 0;
};

}  // namespace bitwright
