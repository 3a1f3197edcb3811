-- trick: an error for a right guess
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select holder from cards where id = 1 and if(substr(pan, 1, 1) = '4', (select 1 union select 2), 1)
