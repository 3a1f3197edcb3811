-- trick: warnings of a value backwards
-- expect: masked
-- unlabelled: out-of-reach
-- decode: reversed

select cast(concat(reverse(pan), 'x') as unsigned) from cards where id = 1

show warnings
