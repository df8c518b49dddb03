// Sum of one value per invocation over the workgroup.

var<workgroup> parts: array<f32, INVOCATIONS>;

fn workgroup_sum(number: f32, invocation: u32) -> f32 {
    // Other invocations may still be reading the previous values.
    workgroupBarrier();
    parts[invocation] = number;
    workgroupBarrier();
    var sums = vec4f();
    for (var index = 0u; index < INVOCATIONS; index += 4u) {
        sums += vec4f(parts[index], parts[index + 1u], parts[index + 2u], parts[index + 3u]);
    }
    return dot(sums, vec4f(1.0));
}
