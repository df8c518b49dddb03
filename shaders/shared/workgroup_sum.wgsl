// The sum of a workgroup's numbers.

var<workgroup> parts: array<vec4f, INVOCATIONS / 4u>;

fn workgroup_sum(number: f32, invocation: u32) -> f32 {
    // Others may still read what was there.
    workgroupBarrier();
    parts[invocation / 4u][invocation % 4u] = number;
    workgroupBarrier();
    var sums = vec4f();
    for (var index = 0u; index < INVOCATIONS / 4u; index++) {
        sums += parts[index];
    }
    return dot(sums, vec4f(1.0));
}
