-- trick: a comment that is code for MySQL alone
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select pan /*!50701 , 1 from settlements -- */ from cards
