// Layer norm, one workgroup per row. Workgroups use two grid axes, because one axis is limited
// to MAX_GROUPS. The including kernel defines `value(row, quad)`, which returns four values of
// a row.

@group(0) @binding(NORM_BINDING) var<storage, read_write> scale: array<vec4f>;
@group(0) @binding(NORM_BINDING + 1u) var<storage, read_write> shift: array<vec4f>;
@group(0) @binding(NORM_BINDING + 2u) var<storage, read_write> output: array<vec4f>;

// Each row has `quads` vec4s.
fn normalize(group: vec3u, rows: u32, quads: u32, invocation: u32, epsilon: f32) {
    let row = group.y * MAX_GROUPS + group.x;
    if row >= rows { return; }
    let count = f32(quads * 4u);
    var sums = vec4f();
    for (var quad = invocation; quad < quads; quad += INVOCATIONS) {
        sums += value(row, quad);
    }
    let mean = workgroup_sum(dot(sums, vec4f(1.0)), invocation) / count;
    var squares = 0.0;
    for (var quad = invocation; quad < quads; quad += INVOCATIONS) {
        let centred = value(row, quad) - mean;
        squares += dot(centred, centred);
    }
    let variance = workgroup_sum(squares, invocation) / count;
    let factor = inverseSqrt(variance + epsilon);
    for (var quad = invocation; quad < quads; quad += INVOCATIONS) {
        output[row * quads + quad] = (value(row, quad) - mean) * factor * scale[quad] + shift[quad];
    }
}
