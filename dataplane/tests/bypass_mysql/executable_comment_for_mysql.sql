-- trick: a comment that is code for MySQL alone
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select pan /*!50701 , 1 from settlements -- */ from cards
