// Which node stands above which: barycentres, up and down the columns, keeping the order with the fewest crossings.
// In: layers (lists of keys), links {left, right, weight} between neighbouring layers. Out: layers in their order.

const SWEEPS = 12;

// Crossings between two neighbouring layers, by counting inversions with a tree of sums: links * log(nodes).
export function crossings(upper, lower, links) {
  const above = new Map(upper.map((key, index) => [key, index]));
  const below = new Map(lower.map((key, index) => [key, index]));
  const pairs = links
    .filter((link) => above.has(link.left) && below.has(link.right))
    .map((link) => [above.get(link.left), below.get(link.right)])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const sums = new Array(lower.length + 1).fill(0);
  let found = 0;
  pairs.forEach(([, at], seen) => {
    let smaller = 0;
    for (let i = at + 1; i > 0; i -= i & -i) smaller += sums[i];
    found += seen - smaller;
    for (let i = at + 1; i <= lower.length; i += i & -i) sums[i]++;
  });
  return found;
}

export function allCrossings(layers, links) {
  let sum = 0;
  for (let i = 1; i < layers.length; i++) sum += crossings(layers[i - 1], layers[i], links);
  return sum;
}

// Keys of a layer by the mean place of their neighbours in another one; who has none stays where it is.
function byBarycentre(layer, fixed, neighbours) {
  const place = new Map(fixed.map((key, index) => [key, index]));
  const wish = new Map();
  layer.forEach((key, index) => {
    const at = (neighbours.get(key) ?? []).map((other) => place.get(other)).filter((value) => value !== undefined);
    const scaled = (index * fixed.length) / Math.max(1, layer.length);
    wish.set(key, at.length > 0 ? at.reduce((sum, value) => sum + value, 0) / at.length : scaled);
  });
  const now = new Map(layer.map((key, index) => [key, index]));
  return [...layer].sort((a, b) => wish.get(a) - wish.get(b) || now.get(a) - now.get(b));
}

function neighboursOf(links, self, other) {
  const map = new Map();
  for (const link of links) {
    if (!map.has(link[self])) map.set(link[self], []);
    map.get(link[self]).push(link[other]);
  }
  return map;
}

export function orderLayers(layers, links) {
  const before = neighboursOf(links, "right", "left");
  const after = neighboursOf(links, "left", "right");
  let now = layers.map((layer) => [...layer]);
  let best = now;
  let fewest = allCrossings(now, links);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    now = now.map((layer) => [...layer]);
    if (sweep % 2 === 0) for (let i = 1; i < now.length; i++) now[i] = byBarycentre(now[i], now[i - 1], before);
    else for (let i = now.length - 2; i >= 0; i--) now[i] = byBarycentre(now[i], now[i + 1], after);
    const count = allCrossings(now, links);
    if (count < fewest) {
      fewest = count;
      best = now;
    }
  }
  return best;
}
