-- trick: warnings of a value backwards
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: reversed

select cast(concat(reverse(pan), 'x') as unsigned) from cards where id = 1

show warnings
