// How high each node stands, its order in the column given: as near as can be to the middle of its neighbours, and no two closer than they may.
// In: layers of keys, links, how much room each key takes. Out: a map from key to the middle of its room, the least of them 0.

const PASSES = 10;

// Values that do not fall and are nearest (least squares) to those given: pools of adjacent violators.
export function rising(values, weights) {
  const pools = [];
  values.forEach((value, i) => {
    let pool = { sum: value * weights[i], weight: weights[i], count: 1 };
    while (pools.length > 0 && pools.at(-1).sum / pools.at(-1).weight > pool.sum / pool.weight) {
      const last = pools.pop();
      pool = { sum: last.sum + pool.sum, weight: last.weight + pool.weight, count: last.count + pool.count };
    }
    pools.push(pool);
  });
  return pools.flatMap((pool) => new Array(pool.count).fill(pool.sum / pool.weight));
}

// Places nearest to the wishes, in this order, each pair at least half of both rooms apart.
export function spread(wishes, rooms, weights) {
  let offset = 0;
  const offsets = wishes.map((_, i) => (offset += i === 0 ? 0 : (rooms[i - 1] + rooms[i]) / 2));
  return rising(wishes.map((wish, i) => wish - offsets[i]), weights).map((value, i) => value + offsets[i]);
}

export function heights(layers, links, room) {
  const at = new Map();
  for (const layer of layers) {
    let top = 0;
    for (const key of layer) {
      at.set(key, top + room(key) / 2);
      top += room(key);
    }
  }
  const sides = new Map();
  for (const link of links) {
    for (const [key, other] of [[link.left, link.right], [link.right, link.left]]) {
      if (!sides.has(key)) sides.set(key, []);
      sides.get(key).push({ other, straight: link.straight });
    }
  }
  for (let pass = 0; pass < PASSES; pass++) {
    const order = pass % 2 === 0 ? layers : [...layers].reverse();
    for (const layer of order) settle(layer, at, sides, room);
  }
  const least = Math.min(...[...at].map(([key, y]) => y - room(key) / 2), Infinity);
  for (const [key, y] of at) at.set(key, y - (Number.isFinite(least) ? least : 0));
  return at;
}

function settle(layer, at, sides, room) {
  const wishes = layer.map((key) => {
    const near = sides.get(key) ?? [];
    return near.length > 0 ? near.reduce((sum, side) => sum + at.get(side.other), 0) / near.length : at.get(key);
  });
  const weights = layer.map((key) => 1 + (sides.get(key) ?? []).reduce((sum, side) => sum + (side.straight ? 4 : 1), 0));
  spread(wishes, layer.map(room), weights).forEach((y, i) => at.set(layer[i], y));
}
