-- trick: one of two words
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select case when pan like '4%' then 'yes' else 'no' end, pan like '4%', strcmp(pan, '5'), instr(pan, '11') from cards where id = 1
