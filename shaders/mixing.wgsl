// Mixing coefficients of the basis head: the mean embedding (width) minus the centre (width),
// projected on the directions (width, count), and scaled to length `gain`. One workgroup.

struct Sizes {
    width: u32,
    count: u32,
    gain: f32,
    // Added to the vector length.
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read_write> embedding: array<f32>;
@group(0) @binding(1) var<storage, read_write> centre: array<f32>;
@group(0) @binding(2) var<storage, read_write> directions: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

fn along(direction: u32, invocation: u32) -> f32 {
    var sum = 0.0;
    for (var place = invocation; place < sizes.width; place += INVOCATIONS) {
        sum += (embedding[place] - centre[place]) * directions[place * sizes.count + direction];
    }
    return workgroup_sum(sum, invocation);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32) {
    var squares = 0.0;
    for (var direction = 0u; direction < sizes.count; direction++) {
        let distance = along(direction, invocation);
        squares += distance * distance;
        if invocation == 0u { output[direction] = distance; }
    }
    let scale = sizes.gain / (sqrt(squares) + sizes.epsilon);
    if invocation == 0u {
        for (var direction = 0u; direction < sizes.count; direction++) {
            output[direction] *= scale;
        }
    }
}
