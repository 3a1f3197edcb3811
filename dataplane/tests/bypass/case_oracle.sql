-- trick: yes or no by CASE
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select case when pan like '4%' then 'yes' else 'no' end from cards where id = 1
