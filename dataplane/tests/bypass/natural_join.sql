-- trick: USING merges columns of two tables
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan from cards join (select pan, id from cards) b using (pan)
