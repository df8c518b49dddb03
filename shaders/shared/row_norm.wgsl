// Layer norm of rows, one workgroup a row, along two axes where one has no room for all. The kernel around it says what stands in a row: `value(row, column)`.

@group(0) @binding(NORM_BINDING) var<storage, read_write> scale: array<f32>;
@group(0) @binding(NORM_BINDING + 1u) var<storage, read_write> shift: array<f32>;
@group(0) @binding(NORM_BINDING + 2u) var<storage, read_write> output: array<f32>;

const INVOCATIONS: u32 = 64u;

var<workgroup> sums: array<f32, INVOCATIONS>;

fn sum_over_workgroup(number: f32, invocation: u32) -> f32 {
    workgroupBarrier();
    sums[invocation] = number;
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if invocation < half { sums[invocation] += sums[invocation + half]; }
    }
    workgroupBarrier();
    return sums[0];
}

// As many as every WebGPU runs along an axis.
const MOST_GROUPS: u32 = 65535u;

fn normalise(group: vec3u, rows: u32, width: u32, invocation: u32, epsilon: f32) {
    let row = group.y * MOST_GROUPS + group.x;
    if row >= rows { return; }
    var sum = 0.0;
    for (var column = invocation; column < width; column += INVOCATIONS) {
        sum += value(row, column);
    }
    let mean = sum_over_workgroup(sum, invocation) / f32(width);
    var squares = 0.0;
    for (var column = invocation; column < width; column += INVOCATIONS) {
        let centred = value(row, column) - mean;
        squares += centred * centred;
    }
    let variance = sum_over_workgroup(squares, invocation) / f32(width);
    let factor = inverseSqrt(variance + epsilon);
    for (var column = invocation; column < width; column += INVOCATIONS) {
        output[row * width + column] = (value(row, column) - mean) * factor * scale[column] + shift[column];
    }
}
