-- trick: warnings of a truncated value
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select cast(concat(pan, 'x') as unsigned) from cards where id = 1

show warnings
