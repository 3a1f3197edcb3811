-- trick: an error for a right guess
-- expect: out-of-reach (policy: careful)
-- unlabelled: out-of-reach
-- decode: same

select holder from cards where id = 1 and 1 / (case when substr(pan, 1, 1) = '4' then 1 else 0 end) = 1
