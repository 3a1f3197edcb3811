-- trick: whether there is one like it
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select 4 + exists (select 1 from cards where pan like '4111%')
