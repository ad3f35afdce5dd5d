(* Does one layer of counters predict runs of l letters that are all as long as each other, for EVERY l >= 2?  (l = 2
   is a^n b^n, l = 3 is a^n b^n c^n.)

   Sarrof, Veitsman, Hahn 2024, the theorem on unbounded counters. [predictor l] is the model that this project builds,
   weight by weight; tests compare. Coordinate i counts the letters i that letter i + 1 has not matched yet. On a
   prefix of a word the last symbol names the run, and one counter says whether it may go on. *)
Require Import ZArith List Bool Lia Arith.
From Verify Require Import SSM Languages.
From Verify.theorems Require Import Tables Counters.
Import ListNotations.
Open Scope Z_scope.

(* -- the model ----------------------------------------------------------------------------------------------------- *)

Section Runs.
Variable l : nat.
Notation c := (l - 1)%nat.                                       (* counters *)

Definition matches (i : nat) : Z * list (nat * Z) := (0, [(i, 1); (S i, -1)]).
(* neuron 2 i: the last letter is i + 1 and a letter i is not matched; neuron 2 i + 1: it is, and all are *)
Definition run_row (n : nat) : Z * list (nat * Z) :=
  let i := Nat.div2 n in let last := ((2 * c + S i)%nat, 1) in
  if Nat.even n then (-1, [((2 * i)%nat, 1); ((2 * i + 1)%nat, -1); last]) else (0,
    [((2 * i)%nat, -1); ((2 * i + 1)%nat, 1); last]).
(* the neurons at which letter b may come *)
Definition allowing (b : nat) : list (nat * Z) :=
  match b with
  | O => [((2 * c)%nat, 1); ((2 * c + 1)%nat, 1)]
  | 1%nat => [(0%nat, 1); ((2 * c + 1)%nat, 1)]
  | S (S i) => [((2 * i + 1)%nat, 1); ((2 * S i)%nat, 1)]
  end.

(* Feature l is 1 on BOS. *)
Definition predictor : model := Model 0 0 (map (one_hot (S l)) (seq 0 (S l)))
  [Layer (Affine 0 (map (fun _ => (1, [])) (seq 0 c))) (Affine 0 (map matches (seq 0 c))) 0 (repeat 0 c)
    [mixed (map corner_of_counter (seq 0 (2 * c)));
     mixed (map run_row (seq 0 (2 * c)) ++ [(0, [((2 * c + l)%nat, 1)]);  (* nothing was read *)
                                            (0, [((2 * c + 0)%nat, 1)])])]]  (* the last letter is 0 *)
  (Affine 0 (map (fun b => (0, allowing b)) (seq 0 l) ++ [(0, [((2 * (l - 2) + 1)%nat, 1)])])).

Hypothesis two_letters : (2 <= l)%nat.

(* -- the machine --------------------------------------------------------------------------------------------------- *)

Definition moved (f : nat -> Z) (i : nat) (j : nat) : Z :=
  f j + (if Nat.eqb j i then -1 else 0) + (if Nat.eqb j (S i) then 1 else 0).
Definition open_run (f : nat -> Z) (i : nat) : bool := (0 <? f i) && match i with O => true | S j => f j =? 0 end.

Lemma add_moved f i : add (counters c f) (add (only c i (-1)) (only c (i + 1) 1)) = counters c (moved f i).
Proof.
  unfold add, counters, only. rewrite combine_tab, map_map, combine_tab, map_map. apply tab_ext. intros j _.
    unfold moved. cbn [fst snd].
  rewrite Nat.add_1_r. lia.
Qed.

Lemma runs_next_first control f : (control <= l)%nat -> next (m := equal_runs l) (control, counters c f) 0 =
  if Nat.leb control 1 then Some (1%nat, counters c (bumped f 0 1)) else None.
Proof.
  intro L. cbn [next equal_runs counter_machine]. unfold counter_next. rewrite find_app.
  rewrite (find_block _ _ c) by (intros j _; unfold applies; cbn [find Languages.control symbol tests fst snd];
    rewrite !Nat.add_1_r; cbn [Nat.eqb andb]; rewrite !andb_false_r; reflexivity).
  rewrite Nat.ltb_irrefl. unfold applies. cbn [find Languages.control symbol tests fst snd forallb].
  destruct control as [|[|n]]; cbn [Nat.eqb andb Nat.leb target amounts]; rewrite ?add_only; reflexivity.
Qed.
Lemma runs_next control f i : (i < c)%nat -> next (m := equal_runs l) (control, counters c f) (S i) =
  if (Nat.eqb control (S i) || Nat.eqb control (S (S i))) && open_run f i then Some (S (S i), counters c (moved f i))
    else None.
Proof.
  intro L. cbn [next equal_runs counter_machine]. unfold counter_next. rewrite find_app.
  assert (first_moves : find (applies (control, counters c f) (S i)) [Move 0 0 [] 1 (only c 0 1);
    Move 1 0 [] 1 (only c 0 1)] = None)
    by (unfold applies; cbn [find Languages.control symbol fst snd Nat.eqb]; rewrite !andb_false_r; reflexivity).
  rewrite first_moves. rewrite (find_block _ _ i).
  - rewrite (proj2 (Nat.ltb_lt i c) L).
    assert (T : forallb (passes (counters c f)) ((i, Positive) :: match i with O => [] | S j => [(j, Zero)] end)
      = open_run f i).
    { unfold open_run, passes, counters. destruct i as [|j]; cbn [forallb fst snd]; rewrite !nth_tab by lia;
      rewrite ?andb_true_r; reflexivity. }
    unfold applies. cbv zeta. cbn [find Languages.control symbol tests fst snd]. rewrite T, Nat.add_1_r, Nat.eqb_refl.
    replace (i + 2)%nat with (S (S i)) by lia. rewrite (Nat.eqb_sym (S i) control), (Nat.eqb_sym (S (S i)) control).
    destruct (Nat.eqb control (S i)), (Nat.eqb control (S (S i))), (open_run f i); cbn [andb orb target amounts];
      try reflexivity;
      rewrite <- (Nat.add_1_r i), add_moved; reflexivity.
  - intros j N. unfold applies. cbv zeta. cbn [find Languages.control symbol tests fst snd].
    rewrite (proj2 (Nat.eqb_neq (j + 1) (S i))) by lia. rewrite !andb_false_r. reflexivity.
Qed.

(* -- the model, by counters ---------------------------------------------------------------------------------------- *)

Notation the_layer := (hd (Layer (Affine 0 []) (Affine 0 []) 0 [] []) (layers predictor)).

Lemma counters_step f x : update 0 the_layer (counters c f) x = counters c (fun i => f i + nth i x 0 - nth (S i) x 0).
Proof.
  rewrite update_whole by reflexivity. unfold raw. cbn [hd layers predictor gate increment SSM.rows]. rewrite !map_map.
  unfold counters. rewrite combine_tab, combine_tab, map_map. apply tab_ext. intros i _. rewrite row_total.
    unfold matches.
  rewrite row_total. unfold total. cbn [fold_right fst snd]. lia.
Qed.

(* after symbol a, which is l where nothing was read *)
Definition said (f : nat -> Z) (a n : nat) : bool :=
  let i := Nat.div2 n in Nat.eqb a (S i) && (if Nat.even n then 0 <? f i else f i =? 0).
Definition features_after (f : nat -> Z) (a : nat) : list Z :=
  map (fun n => oz (said f a n)) (seq 0 (2 * c)) ++ [oz (Nat.eqb a l); oz (Nat.eqb a 0)].
Lemma features_are f a : (a <= l)%nat -> (forall i, (i < c)%nat -> 0 <= f i) ->
  features 0 the_layer (counters c f) (one_hot (S l) a) = features_after f a.
Proof.
  intros A P. unfold features. cbn [fold_left hd layers predictor phi]. set (x := one_hot (S l) a).
  change (mix 0 _ (counters c f ++ x) ++ x) with (corners_read c f x). rewrite mix_relu, map_app, map_map.
    unfold features_after.
  assert (X : forall i, (i <= l)%nat -> nth (2 * c + i) (corners_read c f x) 0 = oz (Nat.eqb a i)).
  { intros i L. rewrite after_corners. unfold x, one_hot. rewrite nth_tab by lia. rewrite Nat.eqb_sym. reflexivity. }
  apply (f_equal2 (@app Z)).
  - apply tab_ext. intros n L. unfold run_row, said. cbv zeta. set (i := Nat.div2 n).
    assert (I : (i < c)%nat) by (unfold i; rewrite Nat.div2_div; apply Nat.div_lt_upper_bound; lia). specialize (P i I).
    destruct (Nat.even n); unfold total; cbn [fold_right fst snd];
      rewrite even_corner, odd_corner, X by (try exact P; lia); destruct (Nat.eqb a (S i)); cbn [andb]; simpl oz;
      [destruct (Z.ltb_spec 0 (f i))| |destruct (Z.eqb_spec (f i) 0)|]; simpl oz; lia.
  - unfold total. cbn [map fold_right fst snd]. rewrite !X by lia.
    destruct (Nat.eqb a l), (Nat.eqb a 0); reflexivity.
Qed.

(* -- the answers --------------------------------------------------------------------------------------------------- *)

(* Counters after a prefix of a word that ends in letter a: before the run before this one all is matched, and in this
   one something is open. *)
Definition in_run (f : nat -> Z) (a : nat) : Prop := (forall i, (i < c)%nat -> 0 <= f i) /\
  ((a < l)%nat -> (forall j, (j < c)%nat -> (S j < a)%nat -> f j = 0) /\ ((a < c)%nat -> 0 < f a)).
Definition control_of (a : nat) : nat := if Nat.eqb a l then 0 else S a.

Lemma positive_or a b : (0 <? 0 + (1 * oz a + (1 * oz b + 0))) = a || b.
Proof. destruct a, b; reflexivity. Qed.

Lemma answers_are f a : (a <= l)%nat -> in_run f a ->
  map (Z.ltb 0) (raw 0 (readout predictor) (features_after f a)) = answer (m := equal_runs l) (control_of a,
    counters c f).
Proof.
  intros A [P R]. cbn [answer equal_runs counter_machine]. unfold counter_answer, raw. cbn [readout predictor SSM.rows].
    rewrite !map_app, !map_map.
  assert (F : forall n, (n < 2 * c)%nat -> nth n (features_after f a) 0 = oz (said f a n))
    by (intros n L; apply (nth_first (fun n => oz (said f a n))), L).
  assert (F0 : nth (2 * c) (features_after f a) 0 = oz (Nat.eqb a l)).
  { rewrite <- (Nat.add_0_r (2 * c)). unfold features_after. rewrite (nth_skip _ _ (2 * c)) by apply length_tab.
    reflexivity. }
  assert (F1 : nth (2 * c + 1) (features_after f a) 0 = oz (Nat.eqb a 0))
    by (unfold features_after; rewrite (nth_skip _ _ (2 * c)) by apply length_tab; reflexivity).
  assert (even_said : forall i, said f a (2 * i) = Nat.eqb a (S i) && (0 <? f i))
    by (intro i; unfold said; rewrite Nat.div2_double, Nat.even_mul; reflexivity).
  assert (odd_said : forall i, said f a (2 * i + 1) = Nat.eqb a (S i) && (f i =? 0))
    by (intro i; unfold said; rewrite Nat.add_1_r, Nat.div2_succ_double, Nat.even_succ, Nat.odd_mul; reflexivity).
  apply (f_equal2 (@app bool)).
  - apply tab_ext. intros b L. rewrite row_total.
    change (counter_next _ (control_of a, counters c f) b)
      with (next (m := equal_runs l) (control_of a, counters c f) b).
    destruct b as [|[|i]]; unfold total; cbn [allowing fold_right fst snd].
    + rewrite F0, F1, positive_or, runs_next_first by (unfold control_of; destruct (Nat.eqb_spec a l); lia).
      unfold control_of. destruct (Nat.eqb_spec a l) as [->|N]; [reflexivity|]. destruct a as [|a]; reflexivity.
    + change 0%nat with (2 * 0)%nat at 1. rewrite F, F1, even_said, positive_or by lia. rewrite runs_next by lia.
      unfold control_of, open_run. rewrite andb_true_r. destruct (Nat.eqb_spec a l) as [->|N].
      * destruct l as [|[|n]]; try lia. reflexivity.
      * destruct (R ltac:(lia)) as [_ R2]. destruct a as [|[|a]]; cbn [Nat.eqb andb orb is_some].
        -- rewrite (proj2 (Z.ltb_lt _ _) (R2 ltac:(lia))). reflexivity.
        -- rewrite orb_false_r. destruct (0 <? f 0%nat); reflexivity.
        -- reflexivity.
    + rewrite !F, odd_said, even_said, positive_or by lia. rewrite runs_next by lia.
      unfold control_of, open_run. destruct (Nat.eqb_spec a l) as [->|N].
      * rewrite !(proj2 (Nat.eqb_neq l _)) by lia. reflexivity.
      * destruct (R ltac:(lia)) as [R1 R2]. change (Nat.eqb (S a) (S (S i))) with (Nat.eqb a (S i)).
        change (Nat.eqb (S a) (S (S (S i)))) with (Nat.eqb a (S (S i))).
        destruct (Nat.eqb_spec a (S i)) as [->|N1];
          [rewrite (proj2 (Nat.eqb_neq (S i) (S (S i)))) by lia|destruct (Nat.eqb_spec a (S (S i))) as [->|N2]];
          cbn [andb orb].
        -- rewrite orb_false_r. rewrite (proj2 (Z.ltb_lt _ _) (R2 ltac:(lia))). cbn [andb].
          destruct (f i =? 0); reflexivity.
        -- rewrite (R1 i) by lia. rewrite Z.eqb_refl, andb_true_r. destruct (0 <? f (S i)); reflexivity.
        -- reflexivity.
  - cbn [map]. rewrite row_total. unfold total. cbn [fold_right fst snd]. rewrite F, odd_said by lia.
    unfold counter_accepts. cbn [existsb forallb fst snd passes]. unfold counters. rewrite nth_tab by lia.
      rewrite andb_true_r, orb_false_r.
    unfold control_of. replace (S (l - 2)) with c by lia. rewrite (Nat.eqb_sym l).
      destruct (Nat.eqb_spec a l) as [->|N].
    + rewrite (proj2 (Nat.eqb_neq l c)) by lia. rewrite (proj2 (Nat.eqb_neq 0 l)) by lia. reflexivity.
    + replace (Nat.eqb (S a) l) with (Nat.eqb a c) by (destruct (Nat.eqb_spec a c); destruct (Nat.eqb_spec (S a) l);
        lia).
      destruct (Nat.eqb a c), (f (l - 2)%nat =? 0); reflexivity.
Qed.

(* -- the theorem --------------------------------------------------------------------------------------------------- *)

Definition related (q : nat * list Z) (hs : list (list Z)) : Prop :=
  exists f a, q = (control_of a, counters c f) /\ hs = [counters c f] /\ (a <= l)%nat /\ in_run f a.

Lemma step_right f g a : (a <= l)%nat -> in_run g a ->
  (forall i, (i < c)%nat -> f i + oz (Nat.eqb i a) - oz (Nat.eqb (S i) a) = g i) ->
  step predictor [counters c f] a = ([counters c g], answer (m := equal_runs l) (control_of a, counters c g)).
Proof.
  intros A R E. unfold step. replace (embedded predictor a) with (one_hot (S l) a).
  2:{ unfold embedded. cbn [bits embedding_exponent embedding predictor]. rewrite map_stored_whole, nth_tab by lia.
    reflexivity. }
  change (bits predictor) with 0. change (layers predictor) with [the_layer]. cbn [through]. rewrite counters_step.
  replace (counters c (fun i => _)) with (counters c g)
    by (apply tab_ext; intros i L; rewrite <- E by exact L; unfold one_hot; rewrite !nth_tab by lia; reflexivity).
  rewrite features_are by (try apply R; exact A). rewrite answers_are by assumption. reflexivity.
Qed.

Lemma moved_in_run f a i : (i < c)%nat -> in_run f a -> (a < l)%nat -> a = i \/ a = S i -> open_run f i = true ->
  in_run (moved f i) (S i).
Proof.
  intros I [P R] A W O. destruct (R A) as [R1 R2].
  unfold open_run in O. apply andb_prop in O as [O1 O2]. apply Z.ltb_lt in O1. split.
  - intros j J. specialize (P j J). unfold moved. destruct (Nat.eqb_spec j i), (Nat.eqb_spec j (S i)); subst; lia.
  - intros _. split.
    + intros j J K. unfold moved. rewrite (proj2 (Nat.eqb_neq j i)), (proj2 (Nat.eqb_neq j (S i))) by lia.
      rewrite !Z.add_0_r. destruct (Nat.eq_dec (S j) i) as [E|E]; [subst i; apply Z.eqb_eq in O2; exact O2|].
      apply R1; [exact J|lia].
    + intro J. specialize (P (S i) J). unfold moved. rewrite Nat.eqb_refl, (proj2 (Nat.eqb_neq (S i) i)) by lia. lia.
Qed.
(* The machine's moves, and what the counters do meanwhile. *)
Lemma runs_kept f a b q' : (a <= l)%nat -> in_run f a -> (b < l)%nat ->
  next (m := equal_runs l) (control_of a, counters c f) b = Some q' ->
  exists g, q' = (S b, counters c g) /\ in_run g b /\
    forall i, (i < c)%nat -> f i + oz (Nat.eqb i b) - oz (Nat.eqb (S i) b) = g i.
Proof.
  intros A R L N. assert (P := proj1 R). destruct b as [|i].
  - rewrite runs_next_first in N by (unfold control_of; destruct (Nat.eqb_spec a l); lia).
    destruct (Nat.leb (control_of a) 1); [|discriminate]. injection N as <-.
    exists (bumped f 0 1). split; [reflexivity|]. split.
    + split; [intros j J; specialize (P j J); unfold bumped; destruct (Nat.eqb j 0); lia|]. intros _.
      split; [intros; lia|]. intro J. specialize (P 0%nat J). unfold bumped. simpl. lia.
    + intros j J. unfold bumped. destruct (Nat.eqb j 0); simpl oz; lia.
  - rewrite runs_next in N by lia.
    destruct ((Nat.eqb (control_of a) (S i) || Nat.eqb (control_of a) (S (S i))) && open_run f i) eqn:O;
      [|discriminate].
    injection N as <-. apply andb_prop in O as [O1 O2].
    assert (W : (a = i \/ a = S i) /\ (a < l)%nat).
    { unfold control_of in O1. destruct (Nat.eqb_spec a l); [discriminate|].
      apply orb_prop in O1 as [O1|O1]; apply Nat.eqb_eq in O1; lia. }
    exists (moved f i). split; [reflexivity|]. split; [apply (moved_in_run f a i); try apply W; try assumption; lia|].
    intros j J. unfold moved. change (Nat.eqb (S j) (S i)) with (Nat.eqb j i).
    destruct (Nat.eqb_spec j (S i)), (Nat.eqb_spec j i); simpl oz; lia.
Qed.

Lemma predictor_computes : computes predictor (equal_runs l) l.
Proof.
  assert (R0 : in_run (fun _ => 0) l) by (split; [intros; lia|intro; lia]).
  assert (begins : begin predictor = ([counters c (fun _ => 0)],
    answer (m := equal_runs l) (control_of l, counters c (fun _ => 0)))).
  { unfold begin. replace (bos predictor) with l by (unfold bos; cbn [embedding predictor]; rewrite length_tab;
    reflexivity).
    replace (start predictor) with [counters c (fun _ => 0)].
    - apply step_right; [lia|exact R0|]. intros i L. rewrite !(proj2 (Nat.eqb_neq _ l)) by lia. reflexivity.
    - unfold start. cbn [layers predictor map initial initial_exponent bits]. rewrite map_stored_whole, zero_counters.
        reflexivity. }
  assert (C0 : control_of l = 0%nat) by (unfold control_of; rewrite Nat.eqb_refl; reflexivity).
  apply relation_computes with (R := related).
  - rewrite begins. exists (fun _ => 0), l. rewrite C0, zero_counters. repeat split; auto; intros; lia.
  - rewrite begins, C0, zero_counters. reflexivity.
  - intros q s b q' (f & a & -> & -> & A & R) L N. destruct (runs_kept f a b q' A R L N) as (g & -> & G & E).
    rewrite (step_right f g b ltac:(lia) G E). cbn [fst snd].
    assert (C : control_of b = S b) by (unfold control_of; rewrite (proj2 (Nat.eqb_neq b l)) by lia; reflexivity).
    rewrite <- C. split; [exists g, b; repeat split; try apply G; lia|reflexivity].
Qed.
End Runs.

Theorem predictor_computes_equal_runs : forall l, (2 <= l)%nat -> computes (predictor l) (equal_runs l) l.
Proof. exact predictor_computes. Qed.
Print Assumptions predictor_computes_equal_runs.
