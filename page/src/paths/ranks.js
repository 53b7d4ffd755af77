// Columns for a graph of relays: mails go from left to right.
// In: ids of nodes, edges {from, to, weight}. Out: per node its column, per edge whether it goes back. Quadratic in the nodes at worst, which are a few hundred.
// Knowingly wrong: which edge of a loop goes back is chosen by a greedy rule (Eades, Lin, Smyth 1993), not the fewest possible.

// An order of the nodes in which little weight goes backwards: sinks to the end, sources to the front, else whoever gives most more than it takes.
export function nodeOrder(ids, edges) {
  const left = new Map(ids.map((id) => [id, { out: 0, in: 0, outs: [], ins: [] }]));
  for (const edge of edges) {
    if (edge.from === edge.to) continue;
    const from = left.get(edge.from);
    const to = left.get(edge.to);
    from.outs.push(edge);
    to.ins.push(edge);
    from.out += edge.weight;
    to.in += edge.weight;
  }
  const front = [];
  const back = [];
  const take = (id, list) => {
    const node = left.get(id);
    left.delete(id);
    list.push(id);
    for (const edge of node.outs) {
      const other = left.get(edge.to);
      if (other) other.in -= edge.weight;
    }
    for (const edge of node.ins) {
      const other = left.get(edge.from);
      if (other) other.out -= edge.weight;
    }
  };
  const rest = () => [...left.keys()].sort();
  while (left.size > 0) {
    const ends = rest().filter((id) => left.get(id).out <= 0);
    const starts = ends.length > 0 ? [] : rest().filter((id) => left.get(id).in <= 0);
    if (ends.length > 0) for (const id of ends) take(id, back);
    else if (starts.length > 0) for (const id of starts) take(id, front);
    else take(rest().reduce((best, id) => (surplus(left.get(id)) > surplus(left.get(best)) ? id : best)), front);
  }
  return [...front, ...back.reverse()];
}

function surplus(node) {
  return node.out - node.in;
}

// The same edges as they are drawn: {edge, left, right, back}, from the left one to the right one; those to themselves are left out.
export function forwardEdges(ids, edges) {
  const place = new Map(nodeOrder(ids, edges).map((id, index) => [id, index]));
  return edges.filter((edge) => edge.from !== edge.to).map((edge) => {
    const back = place.get(edge.from) > place.get(edge.to);
    return { edge, back, left: back ? edge.to : edge.from, right: back ? edge.from : edge.to };
  });
}

// Column of each node: the longest way to it; then those that nothing comes to are moved next to whom they give to.
export function columns(ids, forward) {
  const column = new Map(ids.map((id) => [id, 0]));
  const order = topological(ids, forward);
  const outs = groupBy(forward, (line) => line.left);
  const ins = groupBy(forward, (line) => line.right);
  for (const id of order) {
    for (const line of outs.get(id) ?? []) column.set(line.right, Math.max(column.get(line.right), column.get(id) + 1));
  }
  for (const id of [...order].reverse()) {
    const next = (outs.get(id) ?? []).map((line) => column.get(line.right));
    if (next.length > 0 && !ins.has(id)) column.set(id, Math.min(...next) - 1);
  }
  return column;
}

// forward has no loops, as it follows one order.
function topological(ids, forward) {
  const missing = new Map(ids.map((id) => [id, 0]));
  const outs = groupBy(forward, (line) => line.left);
  for (const line of forward) missing.set(line.right, missing.get(line.right) + 1);
  const order = ids.filter((id) => missing.get(id) === 0);
  for (let i = 0; i < order.length; i++) {
    for (const line of outs.get(order[i]) ?? []) {
      missing.set(line.right, missing.get(line.right) - 1);
      if (missing.get(line.right) === 0) order.push(line.right);
    }
  }
  return order;
}

export function groupBy(list, key) {
  const groups = new Map();
  for (const item of list) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

// Parts of the graph that hang together, each {ids, edges}, those with most weight first.
export function components(ids, edges) {
  const parent = new Map(ids.map((id) => [id, id]));
  const root = (id) => {
    while (parent.get(id) !== id) {
      parent.set(id, parent.get(parent.get(id)));
      id = parent.get(id);
    }
    return id;
  };
  for (const edge of edges) parent.set(root(edge.from), root(edge.to));
  const groups = groupBy(ids, root);
  const of = groupBy(edges, (edge) => root(edge.from));
  const parts = [...groups].map(([name, members]) => ({ ids: members, edges: of.get(name) ?? [] }));
  const weight = (part) => part.edges.reduce((sum, edge) => sum + edge.weight, 0);
  return parts.sort((a, b) => weight(b) - weight(a));
}
